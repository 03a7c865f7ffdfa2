//! The other side of a signature, for tests.

use domain::base::name::{Name, ToName};
use domain::base::rdata::UnknownRecordData;
use domain::base::{Message, MessageBuilder};
use domain::rdata::tsig::Time48;
use domain::tsig::{Algorithm, ClientTransaction, Key};
use std::sync::Arc;

/// A message that is signed, and what checks the signature of its answer.
pub(crate) struct Signed {
    pub(crate) payload: Vec<u8>,
    transaction: ClientTransaction<Arc<Key>>,
}

/// Signs a message in whose data no name is compressed.
pub(crate) fn sign(plain: &[u8], key: &str, secret: &[u8], wall_seconds: u64) -> Signed {
    let message = Message::from_slice(plain).unwrap();
    let mut questions = MessageBuilder::new_vec();
    *questions.header_mut() = message.header();
    let mut questions = questions.question();
    for question in message.question() {
        questions.push(question.unwrap()).unwrap();
    }
    let copied = |record: Result<domain::base::ParsedRecord<'_, [u8]>, _>| {
        let record = record.unwrap();
        let data = record.to_record::<UnknownRecordData<&[u8]>>().unwrap().unwrap();
        let owner: Name<Vec<u8>> = record.owner().to_name();
        let data = UnknownRecordData::from_octets(record.rtype(), data.data().data().to_vec()).unwrap();
        (owner, record.class(), record.ttl(), data)
    };
    let mut answer = questions.answer();
    message.answer().unwrap().for_each(|record| answer.push(copied(record)).unwrap());
    let mut authority = answer.authority();
    message.authority().unwrap().for_each(|record| authority.push(copied(record)).unwrap());
    let mut additional = authority.additional();
    message.additional().unwrap().for_each(|record| additional.push(copied(record)).unwrap());
    let key = Key::new(Algorithm::Sha256, secret, key.parse().unwrap(), None, None).unwrap();
    let transaction =
        ClientTransaction::request(Arc::new(key), &mut additional, Time48::from_u64(wall_seconds)).unwrap();
    Signed { payload: additional.finish(), transaction }
}

impl Signed {
    /// Checks the signature of the answer.
    pub(crate) fn check(self, answer: &[u8], wall_seconds: u64) {
        let mut answer = Message::from_octets(answer.to_vec()).unwrap();
        self.transaction.answer(&mut answer, Time48::from_u64(wall_seconds)).unwrap();
    }
}
