//! What is wrong with a text as YAML, in words for whoever wrote it.

use granit_parser::ErrorKind;

use crate::tree::DEPTH;

/// Says what is wrong, and what to do about it where that is known.
pub(crate) fn explain(kind: &ErrorKind) -> String {
    use ErrorKind as E;
    if matches!(
        kind,
        E::TabNotAllowed | E::TabInBlockIndentation | E::TabInIndentation | E::TabInPlainScalar
    ) {
        return "a tab cannot indent a line: use blanks".to_owned();
    }
    if matches!(kind, E::RecursionLimitExceeded) {
        return format!("this is nested more than {DEPTH} levels deep");
    }
    if matches!(kind, E::MappingValueNotAllowed) {
        return "a `:` cannot stand here: put text with `: ` in it in quotes, indent this line \
                as the one before, or end that one with `:`"
            .to_owned();
    }
    if matches!(kind, E::ExpectedBlockMappingKey | E::InvalidIndentation) {
        return "this line is indented neither as a line before it nor further: give each field a \
                line of its own, in line with its neighbours"
            .to_owned();
    }
    if matches!(kind, E::SimpleKeyExpected | E::InvalidSimpleKey) {
        return "a `:` and a blank are missing after the name of a field".to_owned();
    }
    if matches!(kind, E::UnclosedQuotedScalar | E::DocumentIndicatorInQuotedScalar) {
        return "this quote is not closed".to_owned();
    }
    if let E::UnclosedFlowCollection { open } = kind {
        return format!("this `{open}` is not closed");
    }
    if let E::MismatchedFlowCollectionEnd { open, close } = kind {
        return format!("this `{open}` is closed by a `{close}`");
    }
    if let E::UnexpectedCharacter { character } = kind {
        return format!("text cannot begin with `{character}`: put it in quotes");
    }
    format!("this is no YAML: {kind}")
}
