//! `completions` and `man`: the command line describes itself.

use clap::CommandFactory;

use super::args::Arguments;

/// The completion script for a shell.
pub fn script(shell: clap_complete::Shell) -> Vec<u8> {
    let mut out = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "fieldpost", &mut out);
    out
}

/// The manual page in roff: the overview, then one page per verb.
pub fn manual() -> std::io::Result<Vec<u8>> {
    let mut out = Vec::new();
    let mut command = Arguments::command();
    // Verbs know the options they share with all others only once the whole is built.
    command.build();
    clap_mangen::Man::new(command.clone()).render(&mut out)?;
    for verb in command.get_subcommands().filter(|verb| verb.get_name() != "help") {
        clap_mangen::Man::new(verb.clone()).render(&mut out)?;
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_verb_has_its_page_and_every_shell_its_script() {
        let manual = String::from_utf8(manual().unwrap()).unwrap();
        for verb in Arguments::command().get_subcommands() {
            assert!(manual.contains(&format!(".TH fieldpost-{}", verb.get_name())), "{}", verb.get_name());
        }
        for shell in [clap_complete::Shell::Bash, clap_complete::Shell::Zsh, clap_complete::Shell::Fish] {
            assert!(String::from_utf8(script(shell)).unwrap().contains("publish"));
        }
    }
}
