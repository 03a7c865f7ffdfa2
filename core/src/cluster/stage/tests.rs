use super::*;

/// Every cell of stage x step. A dot: nothing happens.
const TABLE: &str = "
             power-on   lent       asked    unplaced   failed  numbered  expired  up  renewed  left
 seen        .          temporary  .        .          .       ready     .        .   .        .
 temporary   .          .          testing  .          failed  ready     seen     .   .        .
 testing     temporary  .          .        temporary  failed  ready     seen     .   .        .
 failed      temporary  .          .        temporary  .       ready     .        .   .        .
 ready       booting    .          .        .          .       .         .        up  .        .
 booting     .          .          .        .          .       .         down     up  .        .
 up          booting    .          .        .          .       .         down     .   .        down
 down        booting    .          .        .          .       .         .        up  up       .
";

const STEPS: [Step; 10] = [
    Step::PowerOn,
    Step::Lent,
    Step::AgentAsked,
    Step::Unplaced,
    Step::Failed,
    Step::Numbered,
    Step::Expired,
    Step::ReportedUp,
    Step::Renewed,
    Step::Left,
];

#[test]
fn every_step_in_every_stage() {
    let rows: Vec<_> = TABLE.lines().filter(|line| !line.trim().is_empty()).skip(1).collect();
    assert_eq!(rows.len(), Stage::ALL.len());
    for (row, stage) in rows.iter().zip(Stage::ALL) {
        let mut cells = row.split_whitespace();
        assert_eq!(cells.next(), Some(stage.to_string().as_str()));
        for step in STEPS {
            let expected = match cells.next() {
                Some(".") => stage.to_string(),
                Some(word) => word.to_string(),
                None => panic!("{stage} has no cell for {step:?}"),
            };
            assert_eq!(stage.after(step).to_string(), expected, "{stage} after {step:?}");
        }
    }
}

#[test]
fn a_number_is_never_lost() {
    for stage in Stage::ALL.into_iter().filter(|stage| stage.is_numbered()) {
        for step in STEPS {
            assert!(stage.after(step).is_numbered(), "{stage} after {step:?}");
        }
    }
}
