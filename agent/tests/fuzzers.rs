//! The fuzzer's function, with every test run: all inputs that it found to reach something new.

#[path = "../../fuzz/src/agent.rs"]
#[allow(unreachable_pub, missing_docs)]
mod agent;
#[path = "../../fuzz/src/corpus.rs"]
#[allow(unreachable_pub, missing_docs)]
mod corpus;

#[test]
fn kept() {
    let packed = include_bytes!("../../fuzz/corpora/agent_read");
    let inputs = corpus::inputs(packed).map(agent::agent_read).count();
    assert!(inputs > 0, "the corpus is empty");
}
