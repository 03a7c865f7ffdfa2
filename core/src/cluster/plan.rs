//! What a boot loads. It is fixed when the boot begins: a machine whose loader has the old command line must not get the new kernel.

use crate::config::{Config, Overlays, Profile, Root, Template};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a boot loads, as the configuration and the operators had it when it began.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The name of its profile.
    pub profile: String,
    /// Kernel, relative to the boot directory.
    pub kernel: String,
    /// Initial RAM disks, in order, relative to the boot directory.
    pub initrd: Vec<String>,
    /// Template of the kernel command line. What it speaks of, name and address, is the machine's of the moment when it is told.
    pub cmdline: Template,
    /// Where its root file system comes from.
    pub root: Root,
    /// The small files that it gets; what is in them is what is there when it asks.
    pub overlays: Overlays,
    /// Words for templates.
    pub attributes: BTreeMap<String, String>,
}

/// A plan as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanRecord {
    /// The name of the profile.
    pub profile: String,
    /// Kernel.
    pub kernel: String,
    /// Initial RAM disks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub initrd: Vec<String>,
    /// The text of the template.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub cmdline: String,
    /// The root file system, as the configuration writes it; nothing for none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub root: String,
    /// The small files.
    #[serde(default, skip_serializing_if = "Overlays::are_none")]
    pub overlays: Overlays,
    /// Words for templates.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, String>,
}

impl Plan {
    /// What a profile says, for a machine with these words of its own.
    pub fn new(name: &str, profile: &Profile, own: BTreeMap<String, String>) -> Self {
        let mut attributes = profile.attributes.clone();
        attributes.extend(own);
        Self {
            profile: name.into(),
            kernel: profile.kernel.clone(),
            initrd: profile.initrd.clone(),
            cmdline: profile.cmdline.clone(),
            root: profile.root.clone(),
            overlays: profile.overlays.clone(),
            attributes,
        }
    }

    /// What was kept. None: it cannot be read any more.
    pub fn restore(record: PlanRecord, config: &Config) -> Option<Self> {
        let PlanRecord { profile, kernel, initrd, cmdline, root, overlays, attributes } = record;
        // Nearly always nothing has changed; to read a template takes some time.
        let known = config.profiles.get(&profile).filter(|now| now.cmdline.text() == cmdline);
        let cmdline = match known {
            Some(now) => now.cmdline.clone(),
            None => Template::parse(&cmdline).ok()?,
        };
        let root = if root.is_empty() { Root::None } else { root.parse().ok()? };
        Some(Self { profile, kernel, initrd, cmdline, root, overlays, attributes })
    }

    /// Whether a file is its kernel or one of its RAM disks.
    pub fn has_file(&self, path: &str) -> bool {
        self.kernel == path || self.initrd.iter().any(|initrd| initrd == path)
    }

    /// The files that have to be of one version.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.kernel).chain(&self.initrd).map(String::as_str)
    }
}

impl From<&Plan> for PlanRecord {
    fn from(plan: &Plan) -> Self {
        Self {
            profile: plan.profile.clone(),
            kernel: plan.kernel.clone(),
            initrd: plan.initrd.clone(),
            cmdline: plan.cmdline.text().into(),
            root: if plan.root == Root::None { String::new() } else { plan.root.to_string() },
            overlays: plan.overlays.clone(),
            attributes: plan.attributes.clone(),
        }
    }
}
