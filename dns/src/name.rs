use heorot_names::dynamic::label_text;
use std::fmt;

/// A domain name: its labels in wire form, lower case, with the root's empty label at the end.
///
/// Lower case once, here, is how names are compared without regard to case (RFC 4343 3). The case of a query's name lives on in the
/// query's own octets, from which the reply copies it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Name(Vec<u8>);

/// Why a text is no domain name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameError {
    text: String,
}

/// A name has at most 255 octets, a label 63 (RFC 1035 2.3.4).
const NAME_OCTETS_MAX: usize = 255;
const LABEL_OCTETS_MAX: usize = 63;

impl NameError {
    pub(crate) fn of(text: &str) -> Self {
        Self { text: text.to_owned() }
    }
}

impl Name {
    /// The name above all others.
    pub(crate) fn root() -> Self {
        Self(vec![0])
    }

    /// Reads "cluster" or "hpc.example.org", without a final dot.
    pub(crate) fn parse(text: &str) -> Result<Self, NameError> {
        let root = Self(vec![0]);
        text.rsplit('.').try_fold(root, |name, label| name.child(label))
    }

    /// This name with one label before it.
    pub(crate) fn child(&self, label: &str) -> Result<Self, NameError> {
        // A dot inside would be legal on the wire, and would be two labels to everybody who reads it.
        let fits = (1..=LABEL_OCTETS_MAX).contains(&label.len()) && !label.contains('.');
        let octets = u8::try_from(label.len()).ok().filter(|_| fits && label.is_ascii());
        match octets {
            Some(octets) if 1 + label.len() + self.0.len() <= NAME_OCTETS_MAX => {
                let mut name = Vec::with_capacity(1 + label.len() + self.0.len());
                name.push(octets);
                name.extend(label.bytes().map(|octet| octet.to_ascii_lowercase()));
                name.extend(&self.0);
                Ok(Self(name))
            }
            Some(_) | None => Err(NameError { text: label.to_owned() }),
        }
    }

    /// A name from its labels, which somebody has checked: the wire's reader.
    pub(crate) fn from_labels<'a>(labels: impl Iterator<Item = &'a [u8]>) -> Self {
        let mut name = Vec::with_capacity(NAME_OCTETS_MAX);
        for label in labels {
            let octets = u8::try_from(label.len()).expect("a label that was read has at most 63 octets");
            name.push(octets);
            name.extend(label.iter().map(u8::to_ascii_lowercase));
        }
        Self(name)
    }

    /// A name in wire form and lower case, which somebody has checked.
    pub(crate) fn from_wire(octets: &[u8]) -> Self {
        Self(octets.to_vec())
    }

    /// Its wire form.
    pub(crate) fn octets(&self) -> &[u8] {
        &self.0
    }

    /// Its labels from left to right, without the root's.
    pub(crate) fn labels(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = self.0.as_slice();
        std::iter::from_fn(move || {
            let (octets, tail) = rest.split_first()?;
            let (label, tail) = tail.split_at_checked(usize::from(*octets))?;
            rest = tail;
            (!label.is_empty()).then_some(label)
        })
    }

    /// Its labels from the root downwards, each after its length: all names below begin with the same.
    pub(crate) fn key(&self) -> Vec<u8> {
        let labels: Vec<_> = self.labels().collect();
        let mut key = Vec::with_capacity(self.0.len());
        for label in labels.iter().rev() {
            key.push(u8::try_from(label.len()).expect("a label has at most 63 octets"));
            key.extend_from_slice(label);
        }
        key
    }

    /// The name without its first label; the root has none.
    pub(crate) fn parent(&self) -> Option<Self> {
        let (octets, tail) = self.0.split_first()?;
        let (label, tail) = tail.split_at_checked(usize::from(*octets))?;
        (!label.is_empty()).then(|| Self(tail.to_vec()))
    }

    /// The labels before `apex`, from left to right; none if this is the apex. `None` if this name is not in that zone.
    pub(crate) fn below(&self, apex: &Self) -> Option<Vec<&[u8]>> {
        let mut labels = Vec::new();
        let mut rest = self.0.as_slice();
        while rest != apex.0 {
            let (octets, tail) = rest.split_first()?;
            if *octets == 0 {
                return None;
            }
            let (label, tail) = tail.split_at_checked(usize::from(*octets))?;
            labels.push(label);
            rest = tail;
        }
        Some(labels)
    }
}

/// As a zone file has it, with the final dot.
impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for label in self.labels() {
            write!(f, "{}.", label_text(label))?;
        }
        if self.0.len() == 1 { f.write_str(".") } else { Ok(()) }
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "'{}' is no part of a domain name: 1 to 63 letters, digits or hyphens", self.text)
    }
}

impl std::error::Error for NameError {}

#[cfg(test)]
mod tests;
