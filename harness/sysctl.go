package harness

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// setting is a sysctl that every host of a lab pins, so that a spec measures the
// behaviour it names and not the machine it happens to run on.
type setting struct {
	name, value string
	// optional: kernels exist that do not have it, and behave as the value says.
	optional bool
}

// pinned holds the kernel's documented defaults (Documentation/networking/
// ip-sysctl.rst) for everything that moves a timer, and quiet where the default
// adds packets or remembers earlier connections.
var pinned = []setting{
	// Detection.
	{name: "ipv4/tcp_keepalive_time", value: "7200"},
	{name: "ipv4/tcp_keepalive_intvl", value: "75"},
	{name: "ipv4/tcp_keepalive_probes", value: "9"},
	{name: "ipv4/tcp_retries1", value: "3"},
	{name: "ipv4/tcp_retries2", value: "15"},
	{name: "ipv4/tcp_syn_retries", value: "6"},
	{name: "ipv4/tcp_synack_retries", value: "5"},
	{name: "ipv4/tcp_syn_linear_timeouts", value: "4", optional: true}, // absent in 6.1, present in 6.12
	{name: "ipv4/tcp_rto_min_us", value: "200000", optional: true},     // absent in 6.1, present in 6.12
	{name: "ipv4/tcp_rto_max_ms", value: "120000", optional: true},     // absent in 6.12, present in 6.18
	{name: "ipv4/tcp_orphan_retries", value: "0"},
	{name: "ipv4/tcp_fin_timeout", value: "60"},
	{name: "ipv4/tcp_mtu_probing", value: "0"},
	{name: "ipv4/tcp_early_retrans", value: "3"},
	{name: "ipv4/tcp_frto", value: "2"},
	{name: "ipv4/tcp_thin_linear_timeouts", value: "0"},
	{name: "ipv4/tcp_timestamps", value: "1"},
	{name: "ipv4/tcp_sack", value: "1"},
	// The initial RTO is learned from earlier connections otherwise.
	{name: "ipv4/tcp_no_metrics_save", value: "1"},
	// Cubic is the default everywhere; a machine may have chosen another.
	{name: "ipv4/tcp_congestion_control", value: "cubic", optional: true},
	// SCTP, where the kernel has it.
	{name: "sctp/rto_initial", value: "3000", optional: true},
	{name: "sctp/rto_min", value: "1000", optional: true},
	{name: "sctp/rto_max", value: "60000", optional: true},
	{name: "sctp/hb_interval", value: "30000", optional: true},
	{name: "sctp/path_max_retrans", value: "5", optional: true},
	{name: "sctp/association_max_retrans", value: "10", optional: true},
	{name: "sctp/max_init_retransmits", value: "8", optional: true},
	{name: "sctp/pf_enable", value: "1", optional: true},
	{name: "sctp/pf_retrans", value: "0", optional: true},
	{name: "sctp/sack_timeout", value: "200", optional: true},
	{name: "sctp/valid_cookie_life", value: "60000", optional: true},
	// Backlogs and buffers.
	{name: "core/somaxconn", value: "4096"},
	{name: "ipv4/tcp_max_syn_backlog", value: "4096"},
	{name: "ipv4/tcp_abort_on_overflow", value: "0"},
	{name: "ipv4/tcp_syncookies", value: "1"},
	{name: "ipv4/tcp_rmem", value: "4096\t131072\t6291456"},
	{name: "ipv4/tcp_wmem", value: "4096\t16384\t4194304"},
	// Every error a router owes is sent: no rate limit hides one.
	{name: "ipv4/icmp_ratelimit", value: "0"},
	{name: "ipv6/icmp/ratelimit", value: "0"},
	{name: "ipv4/tcp_invalid_ratelimit", value: "0"},
	// No packets but those that a spec causes.
	{name: "ipv6/conf/default/accept_dad", value: "0"},
	{name: "ipv6/conf/default/accept_ra", value: "0"},
	{name: "ipv6/conf/default/router_solicitations", value: "0"},
	{name: "ipv6/conf/default/addr_gen_mode", value: "1"}, // none: no link-local address, no multicast listener report for it
	// Addresses and routes outlive a link that goes down and comes back.
	{name: "ipv6/conf/all/keep_addr_on_down", value: "1"},
	{name: "ipv6/conf/default/keep_addr_on_down", value: "1"},
}

// forwarding makes a router of a host.
var forwarding = []setting{
	{name: "ipv4/ip_forward", value: "1"},
	{name: "ipv6/conf/all/forwarding", value: "1"},
}

// impatient bounds how long toxiproxy waits for an upstream that does not answer:
// it accepts nobody and cannot be changed meanwhile.
var impatient = []setting{
	{name: "ipv4/tcp_syn_retries", value: "1"},
	{name: "ipv4/tcp_syn_linear_timeouts", value: "0", optional: true},
}

// asBorn says of a setting whether a new namespace has it by itself. New namespaces of
// one kernel are alike, so that a process asks on its first host, and afterwards only
// writes what must be written: a lab has a hundred settings, which were a fifth of what
// it cost.
var asBorn sync.Map

// pin makes settings true in the calling thread's namespace, which must be new.
func pin(settings []setting) error {
	for _, s := range settings {
		born, known := asBorn.Load(s)
		switch {
		case !known:
			changed, err := apply(s)
			if err != nil {
				return err
			}
			asBorn.Store(s, !changed)
		case born == false:
			if err := writeSysctl(s.name, s.value); err != nil {
				return fmt.Errorf("setting the sysctl %s to %q: %w", s.name, s.value, err)
			}
		}
	}
	return nil
}

// apply makes a setting true in the calling thread's namespace: unless it is so
// already, it writes it, and reads it back, because some sysctls clamp what they are
// given and some ignore it.
func apply(s setting) (changed bool, err error) {
	got, err := readSysctl(s.name)
	if err == nil && got != s.value {
		changed = true
		if err = writeSysctl(s.name, s.value); err == nil {
			got, err = readSysctl(s.name)
		}
	}
	if s.optional && (errors.Is(err, fs.ErrNotExist) || s.name == "ipv4/tcp_congestion_control" && err != nil) {
		return false, nil
	}
	if err != nil {
		return changed, fmt.Errorf("setting the sysctl %s to %q: %w", s.name, s.value, err)
	}
	if got != s.value {
		return changed, fmt.Errorf("setting the sysctl %s to %q: it reads back as %q", s.name, s.value, got)
	}
	return changed, nil
}

// readSysctl and writeSysctl make the three system calls themselves: a host has some
// forty settings, and package os makes twice as many calls for each.
func readSysctl(name string) (string, error) {
	fd, err := unix.Open("/proc/sys/net/"+name, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return "", err
	}
	defer func() { _ = unix.Close(fd) }()
	buffer := make([]byte, 256)
	n, err := unix.Read(fd, buffer)
	return strings.TrimSpace(string(buffer[:max(0, n)])), err
}

func writeSysctl(name, value string) error {
	fd, err := unix.Open("/proc/sys/net/"+name, unix.O_WRONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(fd) }()
	_, err = unix.Write(fd, []byte(value))
	return err
}
