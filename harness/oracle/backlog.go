package oracle

// Somaxconn is the kernel's default for net.core.somaxconn since 5.4 (listen(2)).
const Somaxconn = 4096

// AcceptQueue is how many connections wait for accept(2) before further clients
// hang: the backlog given to listen(2), capped at somaxconn without a word, and
// one more, because the kernel refuses only when the queue is longer than the
// backlog (include/net/sock.h, sk_acceptq_is_full).
func AcceptQueue(backlog, somaxconn int) int { return min(backlog, somaxconn) + 1 }
