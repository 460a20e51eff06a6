package harness

import (
	"github.com/halfopen-lab/halfopen/harness/linux"
	"github.com/halfopen-lab/halfopen/harness/sysctl"
)

// pinned has the sysctls of every host of a lab, so that a spec measures the behaviour it names and
// not the machine it runs on. Settings that change a timer have the kernel's documented default
// (Documentation/networking/ip-sysctl.rst). Others differ from it where the default adds packets or
// remembers earlier connections.
var pinned = []sysctl.Setting{
	// Detection.
	{Name: "net/ipv4/tcp_keepalive_time", Value: "7200"},
	{Name: "net/ipv4/tcp_keepalive_intvl", Value: "75"},
	{Name: "net/ipv4/tcp_keepalive_probes", Value: "9"},
	{Name: "net/ipv4/tcp_retries1", Value: "3"},
	{Name: "net/ipv4/tcp_retries2", Value: "15"},
	{Name: "net/ipv4/tcp_syn_retries", Value: "6"},
	{Name: "net/ipv4/tcp_synack_retries", Value: "5"},
	{Name: "net/ipv4/tcp_syn_linear_timeouts", Value: "4", Since: linux.Version{Major: 6, Minor: 5}},
	{Name: "net/ipv4/tcp_rto_min_us", Value: "200000", Since: linux.Version{Major: 6, Minor: 11}},
	{Name: "net/ipv4/tcp_rto_max_ms", Value: "120000", Since: linux.Version{Major: 6, Minor: 15}},
	{Name: "net/ipv4/tcp_orphan_retries", Value: "0"},
	{Name: "net/ipv4/tcp_fin_timeout", Value: "60"},
	{Name: "net/ipv4/tcp_mtu_probing", Value: "0"},
	{Name: "net/ipv4/tcp_early_retrans", Value: "3"},
	{Name: "net/ipv4/tcp_frto", Value: "2"},
	{Name: "net/ipv4/tcp_thin_linear_timeouts", Value: "0"},
	{Name: "net/ipv4/tcp_timestamps", Value: "1"},
	{Name: "net/ipv4/tcp_sack", Value: "1"},
	// Otherwise the kernel learns the initial RTO from earlier connections.
	{Name: "net/ipv4/tcp_no_metrics_save", Value: "1"},
	// Cubic is the kernel's default; the machine may have another.
	{Name: "net/ipv4/tcp_congestion_control", Value: "cubic", Optional: true},
	// SCTP, where the kernel has it.
	{Name: "net/sctp/rto_initial", Value: "3000", Optional: true},
	{Name: "net/sctp/rto_min", Value: "1000", Optional: true},
	{Name: "net/sctp/rto_max", Value: "60000", Optional: true},
	{Name: "net/sctp/hb_interval", Value: "30000", Optional: true},
	{Name: "net/sctp/path_max_retrans", Value: "5", Optional: true},
	{Name: "net/sctp/association_max_retrans", Value: "10", Optional: true},
	{Name: "net/sctp/max_init_retransmits", Value: "8", Optional: true},
	{Name: "net/sctp/pf_enable", Value: "1", Optional: true},
	{Name: "net/sctp/pf_retrans", Value: "0", Optional: true},
	{Name: "net/sctp/sack_timeout", Value: "200", Optional: true},
	{Name: "net/sctp/valid_cookie_life", Value: "60000", Optional: true},
	// Backlogs and buffers.
	{Name: "net/core/somaxconn", Value: "4096"},
	{Name: "net/ipv4/tcp_max_syn_backlog", Value: "4096"},
	{Name: "net/ipv4/tcp_abort_on_overflow", Value: "0"},
	{Name: "net/ipv4/tcp_syncookies", Value: "1"},
	{Name: "net/ipv4/tcp_rmem", Value: "4096\t131072\t6291456"},
	{Name: "net/ipv4/tcp_wmem", Value: "4096\t16384\t4194304"},
	// Routers send every ICMP error: no rate limit suppresses one.
	{Name: "net/ipv4/icmp_ratelimit", Value: "0"},
	{Name: "net/ipv6/icmp/ratelimit", Value: "0"},
	{Name: "net/ipv4/tcp_invalid_ratelimit", Value: "0"},
	// The kernel sends no packets of its own accord.
	{Name: "net/ipv6/conf/default/accept_dad", Value: "0"},
	{Name: "net/ipv6/conf/default/accept_ra", Value: "0"},
	{Name: "net/ipv6/conf/default/router_solicitations", Value: "0"},
	{Name: "net/ipv6/conf/default/addr_gen_mode", Value: "1"}, // none: no link-local address, hence no multicast listener report for it
	// Addresses and routes survive while a link is down.
	{Name: "net/ipv6/conf/all/keep_addr_on_down", Value: "1"},
	{Name: "net/ipv6/conf/default/keep_addr_on_down", Value: "1"},
}

// forwarding has the sysctls of routers.
var forwarding = []sysctl.Setting{
	{Name: "net/ipv4/ip_forward", Value: "1"},
	{Name: "net/ipv6/conf/all/forwarding", Value: "1"},
}

// proxySettings has the sysctls of the proxy's host. They bound how long toxiproxy waits for an
// upstream that does not answer: meanwhile it accepts no connection and no change.
var proxySettings = []sysctl.Setting{
	{Name: "net/ipv4/tcp_syn_retries", Value: "1"},
	{Name: "net/ipv4/tcp_syn_linear_timeouts", Value: "0", Since: linux.Version{Major: 6, Minor: 5}},
}

// The profiles of hosts. All labs share them: they cache which values a new namespace already has,
// which is a fact of the kernel.
var (
	pinnedProfile     = sysctl.NewProfile(pinned...)
	forwardingProfile = sysctl.NewProfile(forwarding...)
	proxyProfile      = sysctl.NewProfile(proxySettings...)
)

// pin sets the host's sysctls in the calling thread's namespace, which must be new.
func (h *Host) pin() error {
	if err := pinnedProfile.Apply(); err != nil {
		return err
	}
	switch {
	case h.role.routes():
		return forwardingProfile.Apply()
	case h.role == Proxy:
		return proxyProfile.Apply()
	}
	return nil
}
