//! What it can cost at most to evaluate a token, known before it is evaluated.
//!
//! The Datalog engine looks at its limits between two queries only. One query with a few
//! predicates over a few hundred facts would keep it busy for years, and every holder of a token
//! can append such a query. So the work is counted beforehand, in steps of the engine.

use std::collections::HashMap;

use biscuit_auth::builder::{Binary, Check, Expression, Fact, Op, Predicate, Rule, Term};

use super::vocabulary::NETWORK;
use crate::OutOfBudget;

/// A token of ours takes a few hundred steps; one that is bound to a hundred projects and networks
/// takes fifty thousand. This many are done in some milliseconds.
const BUDGET: u64 = 500_000;

/// An address is in this many networks: so many facts there are about a use at most.
const MOST_NETWORKS: u64 = 129;

/// How many facts there can be, by name.
type Counts<'a> = HashMap<&'a str, u64>;

/// Refuses a token that could cost more than it may.
pub(super) fn check(facts: &[Fact], rules: &[Rule], checks: &[Check]) -> Result<(), OutOfBudget> {
    let width = elements(facts, rules, checks);
    let known = known_facts(facts);
    let (derived, deriving) = derive(&known, rules, width).ok_or(OutOfBudget)?;
    let asking = checks
        .iter()
        .flat_map(|check| &check.queries)
        .map(|query| steps(query, &derived, width))
        .fold(0, u64::saturating_add);
    if deriving.saturating_add(asking) <= BUDGET { Ok(()) } else { Err(OutOfBudget) }
}

/// The token's own facts, and at most those that tell of a use.
fn known_facts(facts: &[Fact]) -> Counts<'_> {
    let mut known = Counts::new();
    for fact in facts {
        *known.entry(&fact.predicate.name).or_default() += 1;
    }
    for name in ["time", "ip", "operation", "permission", "project", "environment"]
        .into_iter()
        .chain(["deployment", "collection"])
    {
        *known.entry(name).or_default() += 1;
    }
    *known.entry(NETWORK).or_default() += MOST_NETWORKS;
    known
}

/// The facts that rules can add, and the steps that this takes; nothing where rules feed
/// themselves, so that there is no telling.
fn derive<'a>(known: &Counts<'a>, rules: &'a [Rule], width: u64) -> Option<(Counts<'a>, u64)> {
    let (mut counts, mut spent) = (known.clone(), 0_u64);
    // Each round can add what depends on the round before; without a circle there are no more
    // rounds than rules.
    for _ in 0..=rules.len() {
        let mut next = known.clone();
        for rule in rules {
            spent = spent.saturating_add(steps(rule, &counts, width));
            let added = matches(&rule.body, &counts);
            let count = next.entry(&rule.head.name).or_default();
            *count = count.saturating_add(added);
        }
        if BUDGET < spent {
            return None;
        }
        if next == counts {
            return Some((counts, spent));
        }
        counts = next;
    }
    None
}

/// The steps that one query takes: for each predicate all facts are gone through once for each way
/// to match those before it, and each full match is put to the expressions.
fn steps(query: &Rule, counts: &Counts<'_>, width: u64) -> u64 {
    let all = counts.values().copied().fold(0, u64::saturating_add);
    let mut ways = 1_u64;
    let mut steps = 0_u64;
    for predicate in &query.body {
        steps = steps.saturating_add(ways.saturating_mul(all));
        ways = ways.saturating_mul(count(predicate, counts));
    }
    let asked: u64 = query
        .expressions
        .iter()
        .map(|Expression { ops }| operations(ops, width))
        .fold(1, u64::saturating_add);
    steps.saturating_add(ways.saturating_mul(asked))
}

fn matches(body: &[Predicate], counts: &Counts<'_>) -> u64 {
    body.iter().map(|predicate| count(predicate, counts)).fold(1, u64::saturating_mul)
}

fn count(predicate: &Predicate, counts: &Counts<'_>) -> u64 {
    counts.get(predicate.name.as_str()).copied().unwrap_or(0)
}

/// The steps of an expression. Each operation may go through a collection; a closure may be
/// called for each element of one.
fn operations(ops: &[Op], width: u64) -> u64 {
    let each = width.saturating_add(1);
    let cost = |op: &Op| match op {
        // An expression of a few characters can take a tenth of a second to compile.
        Op::Binary(Binary::Regex) => u64::MAX,
        Op::Value(_) | Op::Unary(_) | Op::Binary(_) => each,
        Op::Closure(_, body) => each.saturating_mul(operations(body, width)),
    };
    ops.iter().map(cost).fold(0, u64::saturating_add)
}

/// How many elements all collections of a token have together: none that is made of them while it
/// is evaluated has more.
fn elements(facts: &[Fact], rules: &[Rule], checks: &[Check]) -> u64 {
    let queries = rules.iter().chain(checks.iter().flat_map(|check| &check.queries));
    let in_queries = queries.flat_map(|query| {
        let terms = query.body.iter().chain([&query.head]).flat_map(|part| &part.terms);
        let in_terms: u64 = terms.map(size).sum();
        let in_ops: u64 = query.expressions.iter().map(|part| size_of(&part.ops)).sum();
        [in_terms, in_ops]
    });
    let in_facts = facts.iter().flat_map(|fact| &fact.predicate.terms).map(size);
    in_queries.chain(in_facts).sum()
}

fn size_of(ops: &[Op]) -> u64 {
    ops.iter()
        .map(|op| match op {
            Op::Value(term) => size(term),
            Op::Closure(_, body) => size_of(body),
            Op::Unary(_) | Op::Binary(_) => 0,
        })
        .sum()
}

fn size(term: &Term) -> u64 {
    let within = |items: &mut dyn Iterator<Item = &Term>| items.map(|item| 1 + size(item)).sum();
    match term {
        Term::Set(items) => within(&mut items.iter()),
        Term::Array(items) => within(&mut items.iter()),
        Term::Map(items) => within(&mut items.values()),
        Term::Variable(_)
        | Term::Integer(_)
        | Term::Str(_)
        | Term::Date(_)
        | Term::Bytes(_)
        | Term::Bool(_)
        | Term::Parameter(_)
        | Term::Null => 0,
    }
}

#[cfg(test)]
mod tests {
    use biscuit_auth::builder::BlockBuilder;

    use super::check;

    fn is_affordable(source: &str) -> bool {
        let BlockBuilder { facts, rules, checks, .. } =
            BlockBuilder::new().code(source).expect("the test's own Datalog");
        check(&facts, &rules, &checks).is_ok()
    }

    fn many(name: &str, count: u32) -> String {
        (0..count).fold(String::new(), |source, n| source + &format!("{name}({n});"))
    }

    #[test]
    fn what_people_write_is_affordable() {
        for source in [
            "check if operation(\"read\"); check if time($t), $t < 2026-01-01T00:00:00Z;",
            "check if project($p), [\"a\", \"b\"].any($x -> $x == $p);",
            "mine($p) <- project($p), permission(\"logs:read\"); check if mine($p);",
            "a(1); b($x) <- a($x); c($x) <- b($x); d($x) <- c($x), b($x); check if d(1);",
        ] {
            assert!(is_affordable(source), "{source}");
        }
        let names: Vec<String> = (0..100).map(|n| format!("\"10.0.{n}.0/24\"")).collect();
        let networks = format!("check if network($n), {{{}}}.contains($n);", names.join(", "));
        assert!(is_affordable(&networks), "a hundred networks");
    }

    #[test]
    fn what_multiplies_is_not() {
        let facts = many("a", 300);
        for source in [
            format!("{facts} check if a($x), a($y), a($z), $x + $y + $z == 1234567;"),
            format!("{facts} b($x, $y) <- a($x), a($y); c($x, $z) <- b($x, $y), b($y, $z);"),
            format!("{facts} check all a($x), a($y), a($z), a($q), $x < 1000;"),
        ] {
            assert!(!is_affordable(&source), "{source}");
        }
        let numbers: Vec<String> = (0..300).map(|n| n.to_string()).collect();
        let numbers = format!("[{}]", numbers.join(", "));
        let nested = format!(
            "check if {numbers}.all($a -> {numbers}.all($b -> {numbers}.all($c -> $a + $b + $c < 0)));"
        );
        assert!(!is_affordable(&nested), "closures in closures");
    }

    #[test]
    fn what_has_no_end_or_an_unknown_price_is_not() {
        for source in [
            "n(0); n($x) <- n($x);",
            "next(0, 1); next(1, 2); n(0); n($y) <- n($x), next($x, $y);",
            "check if project($p), $p.matches(\"(a{1000}){1000}\");",
            "check if [\"a\"].any($p -> $p.matches(\"a\"));",
        ] {
            assert!(!is_affordable(source), "{source}");
        }
    }
}
