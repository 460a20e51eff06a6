package oracle

// Somaxconn is the kernel's default for net.core.somaxconn since 5.4 (listen(2)).
const Somaxconn = 4096

// MaxSYNBacklog is tcp_max_syn_backlog of a lab's hosts. The kernel's own is 128 on a
// small machine and grows with the memory (Documentation/networking/ip-sysctl.rst).
const MaxSYNBacklog = 4096

// AcceptQueue is how many connections wait for accept(2) before further clients
// hang: the backlog given to listen(2), capped at somaxconn without a word, and
// one more, because the kernel refuses only when the queue is longer than the
// backlog (include/net/sock.h, sk_acceptq_is_full).
func AcceptQueue(backlog, somaxconn int) int { return min(backlog, somaxconn) + 1 }

// SYNQueue is how many half-open connections (SYN_RECV) a listener holds before it
// drops further SYNs, or answers them with cookies: as many as its accept queue
// (include/net/inet_connection_sock.h, inet_csk_reqsk_queue_is_full; one less, and
// with listen(0) none, in kernels older than January 2025, commit 3479c7549fb1).
// Without cookies a quarter of tcp_max_syn_backlog is kept for peers of which the
// kernel has metrics: others are dropped once less than that is left
// (net/ipv4/tcp_input.c, tcp_conn_request).
func SYNQueue(backlog, somaxconn, maxSYNBacklog int, cookies bool) int {
	full := AcceptQueue(backlog, somaxconn)
	if cookies {
		return full
	}
	return min(full, maxSYNBacklog-maxSYNBacklog/4+1)
}
