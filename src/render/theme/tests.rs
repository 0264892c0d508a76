use std::fs;

use super::*;

/// A folder of templates that is removed with the test.
fn overlay(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

fn context() -> Context {
    let mut context = Context::new();
    context.insert("title", "<b>");
    context
}

#[test]
fn a_theme_is_shared_by_threads() {
    fn shared<T: Send + Sync>(_: &T) {}
    shared(&Theme::load(None).unwrap());
}

#[test]
fn an_overlay_replaces_file_by_file_and_may_add_its_own() {
    let folder = overlay(&[
        ("404.html", "mine: {% include \"parts/a.html\" %}"),
        ("parts/a.html", "{{ title }}"),
        ("README.md", "{% this is no template"),
        (".hidden.html", "{% nor is this"),
    ]);
    let theme = Theme::load(Some(folder.path())).unwrap();
    assert_eq!(theme.render("404.html", &context()).unwrap(), "mine: &lt;b&gt;");
    assert!(stylesheet(&theme).contains("prefers-color-scheme"));
    assert!(Theme::load(Some(&folder.path().join("nowhere"))).is_ok());
}

#[test]
fn the_name_of_the_stylesheet_follows_its_content() {
    let folder = overlay(&[("style.css", "p { color: red } /* {{ no template }} */")]);
    let (ours, theirs) = (Theme::load(None).unwrap(), Theme::load(Some(folder.path())).unwrap());
    assert_ne!(stylesheet_path(&ours), stylesheet_path(&theirs));
    assert!(stylesheet(&theirs).contains("{{ no template }}"));
    assert!(stylesheet_path(&ours).starts_with("assets/style-"));
}

#[test]
fn a_comparison_with_what_nobody_knows_yet_is_an_error_with_its_place() {
    for (text, compared) in [
        ("a\n{% if subscriber.city == \"Vienna\" %}b{% endif %}", Some("subscriber.city")),
        ("{{ \"x\" if \"Ada\" != subscriber.name else \"y\" }}", Some("subscriber.name")),
        ("{% if subscriber.age < 9 %}b{% endif %}", Some("subscriber.age")),
        ("{% if subscriber.city %}{{ subscriber.city }} < == {% endif %}", None),
        ("{% if title == \"x\" %}{{ subscriber.name }}{% endif %}", None),
    ] {
        let folder = overlay(&[("mail/issue.txt", text)]);
        let wrong = Theme::load(Some(folder.path())).err().unwrap_or_default();
        let found: Vec<(&str, &str)> = wrong.iter().map(|one| (one.code, one.message.as_str())).collect();
        match compared {
            None => assert!(found.is_empty(), "{text}: {found:?}"),
            Some(name) => assert!(
                matches!(found[..], [("template-comparison", message)] if message.contains(&format!("`{name}`"))),
                "{text}: {found:?}"
            ),
        }
    }
}

#[test]
fn all_syntax_errors_are_reported_with_their_places() {
    let folder = overlay(&[("404.html", "ok\n  {{ 1 + }}"), ("page.html", "{% if x %}"), ("topic.html", "fine")]);
    let problems = Theme::load(Some(folder.path())).unwrap_err();
    let shown: Vec<String> =
        problems.into_iter().map(|problem| problem.relative_to(folder.path()).to_string()).collect();
    assert_eq!(shown.len(), 2, "{shown:?}");
    assert!(
        shown[0].contains("--> 404.html:2:10") && shown[0].contains("2 |   {{ 1 + }}\n  |          ^"),
        "{}",
        shown[0]
    );
    assert!(shown[1].contains("--> page.html:1:"), "{}", shown[1]);
}

#[test]
fn names_that_do_not_exist_are_reported_where_they_stand() {
    let folder = overlay(&[("404.html", "{{ title | shout }}\n{{ env(name=\"HOME\") }}")]);
    let problems = Theme::load(Some(folder.path())).unwrap_err();
    let shown: String = problems.iter().map(ToString::to_string).collect();
    assert!(shown.contains("`shout`") && shown.contains("404.html:1:12"), "{shown}");
    assert!(shown.contains("`env`") && shown.contains("404.html:2:4"), "{shown}");
    let folder = overlay(&[("404.html", "{% include \"nowhere.html\" %}")]);
    let problems = Theme::load(Some(folder.path())).unwrap_err();
    assert!(problems[0].to_string().contains("nowhere.html"), "{}", problems[0]);
}

#[test]
fn an_unknown_variable_is_an_error_in_the_authors_file() {
    let folder = overlay(&[("404.html", "<p>\n<i>{{ titel }}</i>")]);
    let theme = Theme::load(Some(folder.path())).unwrap();
    let shown = theme.render("404.html", &context()).unwrap_err().relative_to(folder.path()).to_string();
    assert!(shown.contains("--> 404.html:2:7") && shown.contains("titel"), "{shown}");
}

#[test]
fn a_template_cannot_read_files_the_environment_or_the_network() {
    for call in [
        "get_env(name=\"HOME\")",
        "load_data(path=\"/etc/passwd\")",
        "get_url(path=\"x\")",
        "now()",
        "include_str(p=1)",
    ] {
        let folder = overlay(&[("404.html", &format!("{{{{ {call} }}}}"))]);
        assert!(Theme::load(Some(folder.path())).is_err(), "{call}");
    }
    let folder = overlay(&[("404.html", "{% include \"/etc/passwd\" %}")]);
    assert!(Theme::load(Some(folder.path())).is_err());
    let folder = overlay(&[("404.html", "{% include \"../../etc/passwd\" %}")]);
    assert!(Theme::load(Some(folder.path())).is_err());
}

#[test]
fn loops_that_never_seem_to_end_do() {
    for text in [
        "{% for i in range(end=1000000) %}x{% endfor %}",
        "{% for i in range(end=1000) %}{% for j in range(end=1000) %}{% endfor %}{% endfor %}",
        "{% for i in range(end=9999999999999999999) %}x{% endfor %}",
        "{% for i in range(start=-9, end=9, step_by=0) %}x{% endfor %}",
        "{% set x = \"0123456789\" %}{% for i in range(end=99999) %}{% for c in [1,2,3,4,5,6,7,8,9] %}{{ x }}{{ x }}{{ x }}{{ x }}{{ x }}{% endfor %}{% endfor %}",
    ] {
        let folder = overlay(&[("404.html", text)]);
        let theme = Theme::load(Some(folder.path())).map_err(|mut problems| problems.remove(0));
        let problem = theme.and_then(|theme| theme.render("404.html", &context())).unwrap_err();
        assert!(problem.place.file.ends_with("404.html"), "{problem}");
    }
    let folder = overlay(&[("404.html", "{% for i in range(start=2, end=9, step_by=3) %}{{ i }} {% endfor %}")]);
    assert_eq!(Theme::load(Some(folder.path())).unwrap().render("404.html", &context()).unwrap(), "2 5 8 ");
}

#[test]
fn a_template_that_includes_itself_is_refused() {
    let folder = overlay(&[("404.html", "{% include \"404.html\" %}")]);
    let problems = Theme::load(Some(folder.path())).unwrap_err();
    assert_eq!(problems[0].code, "template-circle");
}

#[test]
fn a_template_that_is_not_text_is_an_error_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("404.html"), b"ok\nab\xff").unwrap();
    let problem = Theme::load(Some(folder.path())).unwrap_err().remove(0);
    assert_eq!((problem.code, problem.place.line, problem.place.column), ("template-encoding", 2, 3));
}

#[test]
fn only_pages_with_formulas_have_their_stylesheet_and_it_names_the_font() {
    let theme = Theme::load(None).unwrap();
    let formulas = theme.formulas();
    let font = formulas.font_path.strip_prefix("assets/").unwrap();
    assert!(formulas.stylesheet.contains(&format!("url(\"{font}\")")), "{}", formulas.stylesheet);
    assert!(math_font().starts_with(b"wOF2"));
    assert!(!stylesheet(&theme).contains("\nmath {"));
}
