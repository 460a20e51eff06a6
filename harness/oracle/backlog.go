package oracle

// Somaxconn is the kernel's default for net.core.somaxconn since 5.4 (listen(2)).
const Somaxconn = 4096

// MaxSYNBacklog is tcp_max_syn_backlog of the hosts of a lab. The kernel's default is 128 on a
// small machine and grows with its memory (Documentation/networking/ip-sysctl.rst).
const MaxSYNBacklog = 4096

// AcceptQueue returns how many connections can wait for accept(2) before the next client hangs:
// one more than the backlog given to listen(2), which the kernel silently caps at somaxconn. The
// queue is full only once it is longer than the backlog (include/net/sock.h,
// sk_acceptq_is_full).
func AcceptQueue(backlog, somaxconn int) int { return min(backlog, somaxconn) + 1 }

// SYNQueue returns how many connections in SYN_RECV a listener holds before it drops the next SYN
// or answers it with a cookie: as many as its accept queue (include/net/inet_connection_sock.h,
// inet_csk_reqsk_queue_is_full). Kernels before January 2025 hold one less (commit
// 3479c7549fb1). Without cookies the kernel reserves a quarter of tcp_max_syn_backlog for peers
// that it has metrics of: once only that quarter is left, it drops the SYNs of other peers
// (net/ipv4/tcp_input.c, tcp_conn_request).
func SYNQueue(backlog, somaxconn, maxSYNBacklog int, cookies bool) int {
	full := AcceptQueue(backlog, somaxconn)
	if cookies {
		return full
	}
	return min(full, maxSYNBacklog-maxSYNBacklog/4+1)
}
