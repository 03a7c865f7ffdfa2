# What a developer runs, and CI as well. Everything that needs Debian packages calls `setup` first; the lab needs root.

# The agent is linked statically, in a target directory of its own, so that neither build undoes the other's work.
AGENT_TARGET := x86_64-unknown-linux-gnu
AGENT_FLAGS  := CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUSTFLAGS="-C target-feature=+crt-static"
AGENT_BUILD  := cargo build --release --package heorot-agent --bin heorot-agent --target $(AGENT_TARGET) \
	--target-dir target/static --config 'profile.release.strip=true' --config 'profile.release.opt-level="s"' \
	--config 'profile.release.lto=false'

.PHONY: all setup build agent test check format lints-meanwhile unit lab lab-build lab-first lab-second boots docs demo kill loss kill-leases bench-storm bench-plain bench-speed bench-loss bench-dhcp bench-dns bench-nfs bench-http bench-start seeds soak restores load-docs nss-asan nss-cost fuzz corpora clean

all: build

# Installs what is missing from Debian's packages, or says what to install; quick when nothing is missing.
setup:
	@lab/setup

# The server, the lab and the agent.
build: setup agent
	cargo build --workspace

# The static program for nodes: target/static/$(AGENT_TARGET)/release/heorot-agent
agent:
	$(AGENT_FLAGS) $(AGENT_BUILD)

# All that has to hold before a change goes in: formatting, unit tests, real clients, and lints while those mostly wait.
test: setup format unit lab-build
	$(call LAB_TEST,$(LAB_MEASURED))
	@$(MAKE) --no-print-directory --jobs=3 --output-sync=target lab-first lab-second lints-meanwhile
	@echo "test: PASS"

# Formatting and lints.
check: format
	$(LINTS) -- -D warnings

format:
	cargo fmt --all --check

LINTS := cargo clippy --workspace --all-targets

# The same, with the time of the processor that nobody else wants, and in a directory of their own: cargo lets nobody else into the one in which it builds.
lints-meanwhile:
	chrt --idle 0 $(LINTS) --quiet --target-dir target/lints -- -D warnings

# Tests that need neither root nor a network.
unit:
	cargo test --quiet --workspace --lib --bins
	cargo test --quiet --workspace --exclude heorot-lab --test '*'
	cargo test --quiet --workspace --doc

# Boots that take minutes each in an emulated machine: whole Debians, other file servers, dracut, initramfs-tools, HTTP boot, Secure Boot.
SLOW_BOOTS := a_debian another_file_server image_of_dracut image_of_initramfs_tools boots_by_http with_secure_boot a_unified_image last_words every_way

# All is built for the whole workspace, here as above: for one package alone cargo builds what it shares with others once more, with fewer features.
# What measures a link or a time has the machine to itself. The others mostly wait: they run in two lanes that take about as long.
LAB_MEASURED := http link nfs_share storm
LAB_FIRST    := nfs overlays renewal roots uefi
LAB_SECOND   := $(filter-out $(LAB_MEASURED) $(LAB_FIRST),$(basename $(notdir $(wildcard lab/tests/*.rs))))
LAB_TEST      = cargo test --workspace $(addprefix --test ,$(1)) -- --test-threads=1 $(addprefix --skip ,$(SLOW_BOOTS))

# Real firmware and real clients in network namespaces.
lab: lab-build
	$(call LAB_TEST,$(LAB_MEASURED))
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=target lab-first lab-second

lab-build: build
	cargo run --quiet --bin heorot-lab -- fetch

lab-first:
	$(call LAB_TEST,$(LAB_FIRST))

lab-second:
	$(call LAB_TEST,$(LAB_SECOND))

# The boots that `make test` has no time for.
boots: build
	cargo run --quiet --bin heorot-lab -- fetch
	cargo test --workspace --test roots --test loaders --test matrix -- --test-threads=1 $(SLOW_BOOTS)

# Writes the pages that are made from the records of the options: docs/configuration.md and docs/sample.toml.
docs:
	HEOROT_WRITE=1 cargo test --quiet --package heorot-core config

# Two machines from power-on to a number, their names, and a second boot into a Debian over NFS; ends in "demo: PASS" or "demo: FAIL".
demo: build
	@cargo run --quiet --bin heorot-lab -- demo

# Kills the server 20 times, at random moments of a boot over TFTP, and prints the moments.
kill: build
	@cargo run --quiet --bin heorot-lab -- kill

# A UEFI machine boots through GRUB without loss and with 1 % each way, ROUNDS times: the latter has to take less than twice as long.
ROUNDS ?= 5
loss: build
	@cargo run --quiet --bin heorot-lab -- loss $(ROUNDS)

# Kills the server 1,000 times under a load of DHCP: whatever it has acknowledged it has to know when it comes back. TRIALS=50 SEED=2 choose other things.
kill-leases: setup
	cargo build --quiet --release --package heorot --package heorot-bench
	@cargo run --quiet --release --package heorot-bench -- kills trials=$(TRIALS) seed=$(SEED)

# heorot beside other servers over a shaped link, from one run each: whole boots, and TFTP alone. Above 200Mbit two processors starve the shaper.
# NODES=1000 IMAGE=1MB LINK=200Mbit MIX=edk2=2,ipxe=1 RUNS=3 SEED=1 SERVERS=heorot,dnsmasq WINDOWS=1000x1,100x16 choose other things.
BENCH_WORDS = nodes=$(NODES) image=$(IMAGE) link=$(LINK) mix=$(MIX) runs=$(RUNS) seed=$(SEED) servers=$(SERVERS) windows=$(WINDOWS)
bench-storm: setup
	cargo build --quiet --release --package heorot --package heorot-bench
	@cargo run --quiet --release --package heorot-bench -- storm $(BENCH_WORDS)

bench-plain: setup
	cargo build --quiet --release --package heorot --package heorot-bench
	@cargo run --quiet --release --package heorot-bench -- plain $(BENCH_WORDS)

# What a megabyte by TFTP costs each server, beside a bare loop that answers from memory: on a quiet machine with two processors, or the figures mean little.
# HEOROT_BEFORE=PROGRAM SERVERS=heorot-auto,heorot-before,bare-loop show what a change brings; RUNS=5 WINDOWS=100x1,100x16 as above.
bench-speed: setup
	cargo build --quiet --release --package heorot --package heorot-bench
	@cargo run --quiet --release --package heorot-bench -- speed $(BENCH_WORDS)

# A megabyte by TFTP with 1 % of all frames lost each way, by clients with the timers of EDK2, iPXE and PXELINUX. NODES=20 RUNS=5 SERVERS=heorot-auto,dnsmasq
# choose other things.
bench-loss: setup
	cargo build --quiet --release --package heorot --package heorot-bench
	@cargo run --quiet --release --package heorot-bench -- loss $(BENCH_WORDS)

# DHCP servers beside each other, asked by the same clients. RUNS=5 SERVERS=heorot,kea,dnsmasq ONLY=fresh,known,burst,instant,reservations AT_ONCE=1,32,512
# SECONDS=3 choose other things.
bench-dhcp: setup
	cargo build --quiet --release --package heorot --package heorot-bench
	@cargo run --quiet --release --package heorot-bench -- dhcp runs=$(RUNS) servers=$(SERVERS) only=$(ONLY) at-once=$(AT_ONCE) seconds=$(SECONDS)

# DNS servers beside each other, asked for the same 4,096 names, pointers and names of others, by a client of ours and by dnsperf; and names while 1,000 machines
# boot. RUNS=5 SERVERS=heorot,knotd,nsd,unbound,dnsmasq ONLY=names,ptr,forwards (or ONLY=storm) AT_ONCE=100 RATE=20000 SECONDS=3 choose other things.
bench-dns: setup
	cargo build --quiet --release --package heorot --package heorot-bench
	@cargo run --quiet --release --package heorot-bench -- dns runs=$(RUNS) servers=$(SERVERS) only=$(ONLY) at-once=$(AT_ONCE) rate=$(RATE) seconds=$(SECONDS)

# NFS servers beside each other: one large file, and a walk over 20,000 small ones. RUNS=5 SERVERS=heorot,nfs-ganesha CONNECTIONS=4 MEGABYTES=512 FILES=20000
# choose other things.
bench-nfs: setup
	cargo build --quiet --release --package heorot --package heorot-bench
	@cargo run --quiet --release --package heorot-bench -- nfs runs=$(RUNS) servers=$(SERVERS) connections=$(CONNECTIONS) megabytes=$(MEGABYTES) files=$(FILES)

# A boot file by HTTP, beside nginx: 32 MB, 100 connections, medians of 5 runs. HTTP="clients=10 runs=3 octets=1000000 seconds=4" chooses other things.
bench-http: setup
	cargo build --quiet --release --package heorot --package heorot-bench
	@cargo run --quiet --release --package heorot-bench -- http $(HTTP)

# How long heorot takes to start with 10,000 nodes, what memory they take, and how often it wakes when nothing happens. NODES=10000 RUNS=5 choose others.
bench-start: setup
	cargo build --quiet --release --package heorot --package heorot-bench
	@cargo run --quiet --release --package heorot-bench -- start nodes=$(NODES) runs=$(RUNS)

# Runs N seeds of the simulator, from FROM on. One that fails prints the command that repeats it.
N ?= 10000
FROM ?= 0
seeds:
	@cargo run --quiet --release --package heorot-sim --example seeds -- --from $(FROM) --count $(N)

# A thousand simulated machines reboot a thousand times: tables and heap have to be as before.
soak:
	@cargo run --quiet --release --package heorot-sim --example soak

# Simulates every power restore of sim/restores, with the load control and without: one line each, and a verdict. Takes many minutes on one core: the largest are 10,000 machines.
# RESTORES="sim/restores/1Gbit-01000x4MB.toml" chooses some.
RESTORES ?= $(sort $(wildcard sim/restores/*.toml))
restores:
	cargo build --quiet --release --package heorot-sim --example restores
	@cargo run --quiet --release --package heorot-sim --example restores -- $(RESTORES)

# The tables of back-off and of control in docs/load.md.
load-docs:
	cargo build --quiet --release --package heorot-sim --example load_experiments
	@cargo run --quiet --release --package heorot-sim --example load_experiments -- backoff 10 100 1000 10000
	@cargo run --quiet --release --package heorot-sim --example load_experiments -- throttle

# The NSS module's tests under AddressSanitizer. Needs a nightly toolchain.
nss-asan:
	RUSTFLAGS="-Zsanitizer=address -Clink-arg=-Wl,--export-dynamic" cargo +nightly test --package heorot-nss \
		--target x86_64-unknown-linux-gnu --target-dir target/asan --test module

# What a look-up by the NSS module costs.
nss-cost:
	cargo test --quiet --release --package heorot-nss --test module -- --ignored --nocapture cost

# Every fuzzer for a minute, from the inputs that are kept. Needs a nightly toolchain; installs cargo-fuzz if it is missing.
FUZZ_SECONDS ?= 60
FUZZERS ?= dhcp_parse tftp_parse transfers_handle heorot_handle requests_handle config_parse words_parse resolver_handle forwarder_handle frames_read agent_read http_head nis_rpc nis_yp nfs_rpc
CORPORA := cargo run --quiet --package heorot-core --example corpora --
fuzz:
	command -v cargo-fuzz >/dev/null || cargo install --locked cargo-fuzz
	for target in $(FUZZERS); do \
		$(CORPORA) unpack fuzz/corpora/$$target fuzz/corpus/$$target && \
		cargo +nightly fuzz run $$target -- -max_total_time=$(FUZZ_SECONDS) || exit 1; \
	done

# Keeps of what fuzzers found the fewest inputs that reach as much: fuzz/corpora, which tests replay.
corpora:
	for target in $(FUZZERS); do \
		cargo +nightly fuzz cmin $$target && $(CORPORA) pack fuzz/corpus/$$target fuzz/corpora/$$target || exit 1; \
	done

# Removes what was built and fetched.
clean:
	cargo clean
	rm -rf .lab
