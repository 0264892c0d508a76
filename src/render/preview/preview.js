// Shows the page anew when the publication has changed.
(async () => {
  let seen = null;
  for (;;) {
    try {
      const answer = await fetch("/revision" + (seen === null ? "" : "?after=" + seen), { cache: "no-store" });
      const revision = await answer.text();
      if (seen !== null && revision !== seen) {
        location.reload();
        return;
      }
      seen = revision;
    } catch {
      await new Promise((resume) => setTimeout(resume, 1000));
    }
  }
})();
