use super::*;

#[test]
fn the_same_words_are_kept_once() {
    let mut phrases = Phrases::new();
    let first = phrases.shared("it was switched on");
    let again = phrases.shared("it was switched on");
    let other = phrases.shared("it was switched off");
    assert!(Arc::ptr_eq(&first, &again));
    assert_eq!(&*other, "it was switched off");
}

#[test]
fn however_many_there_are_each_is_what_was_said_and_no_more_are_kept() {
    let mut phrases = Phrases::new();
    let said: Vec<Arc<str>> = (0..4 * PHRASES_SHARED_MAX).map(|n| format!("phrase {n}").into()).collect();
    for phrase in &said {
        assert_eq!(phrases.shared(Arc::clone(phrase)), *phrase);
    }
    let kept = said.iter().filter(|phrase| Arc::strong_count(phrase) > 1).count();
    assert!(kept <= PHRASES_SHARED_MAX, "{kept}");
}
