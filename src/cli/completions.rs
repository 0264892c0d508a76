//! `completions` and `man`: the command line describes itself.

use clap::CommandFactory;

use super::args::Arguments;

/// The completion script for a shell.
pub fn script(shell: clap_complete::Shell) -> Vec<u8> {
    let mut out = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "fieldpost", &mut out);
    out
}

/// The manual page in roff: the overview, then one section per verb.
pub fn manual() -> std::io::Result<Vec<u8>> {
    let mut out = Vec::new();
    let command = Arguments::command();
    clap_mangen::Man::new(command.clone()).render(&mut out)?;
    for verb in command.get_subcommands().filter(|verb| verb.get_name() != "help") {
        clap_mangen::Man::new(verb.clone()).render(&mut out)?;
    }
    Ok(out)
}
