use super::*;
use crate::testing;
use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair, date_time_ymd};

/// 2030-06-15, in seconds since 1970.
const NOW: u64 = 1_907_712_000;

fn found(names: &[&str], years: (i32, i32), offer: &str) -> Vec<(Grade, String)> {
    let directory = testing::directory("doctor-certificate");
    let path = |name: &str| directory.path().join(name).display().to_string();
    let key = KeyPair::generate().unwrap();
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    // As `openssl req -x509` makes them.
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    (params.not_before, params.not_after) = (date_time_ymd(years.0, 1, 1), date_time_ymd(years.1, 7, 1));
    std::fs::write(path("certificate"), params.self_signed(&key).unwrap().pem()).unwrap();
    std::fs::write(path("key"), key.serialize_pem()).unwrap();
    let text = format!(
        "[[network]]\ninterface = \"lo\"\naddress = \"127.0.0.1/8\"\nnumbers = \"0-9\"\nfirst = \"127.1.0.0\"\ntemporary = \"127.2.0.1-127.2.0.9\"\n\
         [http]\ncertificate = \"{}\"\nkey = \"{}\"\noffer = \"{offer}\"\n",
        path("certificate"),
        path("key")
    );
    let config = Config::parse(&text, &settings::interfaces().unwrap()).unwrap_or_else(|m| panic!("{m:?}")).0;
    findings(&config, NOW).into_iter().map(|finding| (finding.grade, finding.said)).collect()
}

#[test]
fn dates_and_addresses_of_a_certificate_are_looked_at() {
    for (names, years, offer, expected) in [
        (&["127.0.0.1"][..], (2029, 2031), "https", &[(Grade::Ok, "is valid, and for the addresses")][..]),
        (&["127.0.0.1"], (2028, 2029), "https", &[(Grade::Fault, "is over since Sun, 01 Jul 2029")]),
        (&["127.0.0.1"], (2028, 2029), "http", &[(Grade::Warning, "is over since Sun, 01 Jul 2029")]),
        (&["127.0.0.1"], (2028, 2030), "https", &[(Grade::Warning, "ends at Mon, 01 Jul 2030")]),
        (&["127.0.0.1"], (2031, 2032), "https", &[(Grade::Fault, "is not valid before Wed, 01 Jan 2031")]),
        (&["heorot", "127.0.0.2"], (2029, 2031), "https", &[(Grade::Fault, "is not for 127.0.0.1")]),
    ] {
        let found = found(names, years, offer);
        assert_eq!(found.len(), expected.len(), "{names:?} {years:?}: {found:?}");
        for ((grade, said), (wanted, begins)) in found.iter().zip(expected) {
            assert!(grade == wanted && said.starts_with(begins), "{names:?} {years:?} {offer}: {found:?}");
        }
    }
}
