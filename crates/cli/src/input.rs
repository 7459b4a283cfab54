//! What a person or a pipe is asked for.

use std::io::{self, IsTerminal as _, Read as _, Write as _};

use secrecy::SecretString;

use crate::failure::{Failure, Result};

/// A secret: typed unseen at a terminal, else the whole input without its last line break.
pub(crate) fn secret(prompt: &str) -> Result<SecretString> {
    if io::stdin().is_terminal() {
        return Ok(rpassword::prompt_password(prompt).map_err(Failure::Input)?.into());
    }
    let mut text = String::new();
    io::stdin().read_to_string(&mut text).map_err(Failure::Input)?;
    Ok(without_line_break(text).into())
}

/// Asks before something is destroyed. Where nobody can be asked, it has to be said beforehand.
pub(crate) fn confirm(question: &str, said: bool) -> Result<()> {
    if said {
        return Ok(());
    }
    if !io::stdin().is_terminal() {
        return Err(Failure::Usage(format!("{question} Say so with --yes")));
    }
    let mut out = io::stderr();
    write!(out, "{question} [y/N] ").and_then(|()| out.flush()).map_err(Failure::Output)?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer).map_err(Failure::Input)?;
    match answer.trim().to_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => Err(Failure::Failed("nothing was done".to_owned())),
    }
}

fn without_line_break(mut text: String) -> String {
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_line_break_is_not_part_of_a_value() {
        assert_eq!(without_line_break("a\nb\n".to_owned()), "a\nb");
        assert_eq!(without_line_break("a\r\n".to_owned()), "a");
        assert_eq!(without_line_break("a\n\n".to_owned()), "a\n");
        assert_eq!(without_line_break(" a".to_owned()), " a");
    }
}
