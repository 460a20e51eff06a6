package page

import (
	"cmp"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
)

// recipe is the advice as text to copy, in the words of a language or of a program.
type recipe struct {
	For, Text string
	Note      string // what the text does not set; empty: nothing
	Fits      bool   // it is the language of the audited program, or the program itself
	only      bool   // it is of no use to another program
	is        *regexp.Regexp
}

// recipes returns the advice in the words of languages and programs, those first that fit the
// audited one. Sources: tcp(7); socket(2) of Ruby; net.KeepAliveConfig; jdk.net.ExtendedSocketOptions;
// socket.setKeepAlive of Node; the directive listen of ngx_http_core_module; clitcpka, srvtcpka and
// tcp-ut of HAProxy; runtime-config-connection of PostgreSQL; libpq-connect; the configuration of
// PgBouncer; tcp-keepalive of redis.conf, and anet.c of Redis; tcp_keepalive_time of MariaDB;
// systemd.socket(5).
func recipes(a *answer.Advice, p answer.Program) []recipe {
	idle, interval, count := a.Idle.Duration().Seconds(), a.Interval.Duration().Seconds(), a.Count
	user := a.UserTimeout.Duration().Milliseconds()
	all := append(languages(idle, interval, count, user, p), programs(idle, interval, count, user, p)...)
	if a.BySysctl {
		all = append(all, recipe{For: "the whole machine, by sysctl: the program has keepalive on, with the system's values", Fits: true, Note: noUserTimeout,
			Text: fmt.Sprintf("sysctl -w net.ipv4.tcp_keepalive_time=%g net.ipv4.tcp_keepalive_intvl=%g net.ipv4.tcp_keepalive_probes=%d", idle, interval, count)})
	}
	names := strings.Fields(p.Command + " " + p.Package)
	for i, r := range all {
		if r.is != nil {
			all[i].Fits = slices.ContainsFunc(names, func(name string) bool { return r.is.MatchString(path.Base(strings.Trim(name, `'"`))) })
		}
	}
	all = slices.DeleteFunc(all, func(r recipe) bool { return r.only && !r.Fits })
	if !slices.ContainsFunc(all, func(r recipe) bool { return r.Fits }) { // setsockopt says it to all
		all[0].Fits = true
	}
	slices.SortStableFunc(all, func(x, y recipe) int { return cmp.Compare(rank(x), rank(y)) })
	return all
}

// rank orders recipes: those that fit come first.
func rank(r recipe) int {
	if r.Fits {
		return 0
	}
	return 1
}

// noUserTimeout is the note of a recipe without TCP_USER_TIMEOUT.
const noUserTimeout = "This does not set TCP_USER_TIMEOUT: data that nobody acknowledges is still given up after net.ipv4.tcp_retries2, some 15 minutes."

func languages(idle, interval float64, count int, user int64, p answer.Program) []recipe {
	dialer := "dialer := net.Dialer{KeepAliveConfig: keepAlive, Control: control}"
	node := fmt.Sprintf("socket.setKeepAlive(true, %g)", idle*1000)
	if p.Side == answer.Server {
		dialer = "listener := net.ListenConfig{KeepAliveConfig: keepAlive, Control: control}"
		node = fmt.Sprintf("net.createServer({keepAlive: true, keepAliveInitialDelay: %g})", idle*1000)
	}
	return []recipe{
		{For: "C", is: regexp.MustCompile(`\.c$`), Text: fmt.Sprintf(`int on = 1, idle = %g, interval = %g, count = %d;
unsigned int user_timeout = %d; /* ms */
setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof interval);
setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof count);
setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &user_timeout, sizeof user_timeout);`, idle, interval, count, user)},
		{For: "Python", is: regexp.MustCompile(`^python[0-9.]*$|\.py$`), Text: fmt.Sprintf(`sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, %g)
sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, %g)
sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, %d)
sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, %d)`, idle, interval, count, user)},
		{For: "Go", is: regexp.MustCompile(`^go$|\.go$`), Text: fmt.Sprintf(`keepAlive := net.KeepAliveConfig{Enable: true, Idle: %g * time.Second, Interval: %g * time.Second, Count: %d}
control := func(_, _ string, c syscall.RawConn) (err error) {
	return errors.Join(c.Control(func(fd uintptr) {
		err = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, %d)
	}), err)
}
%s`, idle, interval, count, user, dialer)},
		{For: "Java", is: regexp.MustCompile(`^java$|\.jar$|\.java$`), Note: noUserTimeout, Text: fmt.Sprintf(`socket.setOption(StandardSocketOptions.SO_KEEPALIVE, true);
socket.setOption(ExtendedSocketOptions.TCP_KEEPIDLE, %g);
socket.setOption(ExtendedSocketOptions.TCP_KEEPINTERVAL, %g);
socket.setOption(ExtendedSocketOptions.TCP_KEEPCOUNT, %d);`, idle, interval, count)},
		{For: "Node", is: regexp.MustCompile(`^node(js)?$|\.[cm]?js$`), Note: "Node's own interval is 1 s, and its count 10. " + noUserTimeout, Text: node},
		{For: "Ruby", is: regexp.MustCompile(`^ruby[0-9.]*$|\.rb$`), Text: fmt.Sprintf(`socket.setsockopt(:SOCKET, :KEEPALIVE, true)
socket.setsockopt(:TCP, :KEEPIDLE, %g)
socket.setsockopt(:TCP, :KEEPINTVL, %g)
socket.setsockopt(:TCP, :KEEPCNT, %d)
socket.setsockopt(:TCP, 18, %d) # TCP_USER_TIMEOUT`, idle, interval, count, user)},
	}
}

func programs(idle, interval float64, count int, user int64, p answer.Program) []recipe {
	own := func(name, is, note, format string, values ...any) recipe {
		return recipe{For: name, only: true, is: regexp.MustCompile(is), Note: note, Text: fmt.Sprintf(format, values...)}
	}
	if p.Side == answer.Client {
		return []recipe{
			own("haproxy.cfg", `^haproxy$`, "", "option srvtcpka\nsrvtcpka-idle %gs\nsrvtcpka-intvl %gs\nsrvtcpka-cnt %d\ndefault-server tcp-ut %dms", idle, interval, count, user),
			own("psql and libpq, in the connection string", `^psql$`, "", "keepalives_idle=%g keepalives_interval=%g keepalives_count=%d tcp_user_timeout=%d", idle, interval, count, user),
		}
	}
	return []recipe{
		own("nginx.conf", `^nginx`, noUserTimeout, "listen %d so_keepalive=%gs:%gs:%d;", p.Port, idle, interval, count),
		own("haproxy.cfg", `^haproxy$`, "", "bind :%d tcp-ut %dms\noption clitcpka\nclitcpka-idle %gs\nclitcpka-intvl %gs\nclitcpka-cnt %d", p.Port, user, idle, interval, count),
		own("postgresql.conf", `^postgres(ql-[0-9]+)?$`, "", "tcp_keepalives_idle = %g\ntcp_keepalives_interval = %g\ntcp_keepalives_count = %d\ntcp_user_timeout = %d", idle, interval, count, user),
		own("pgbouncer.ini", `^pgbouncer$`, "", "tcp_keepalive = 1\ntcp_keepidle = %g\ntcp_keepintvl = %g\ntcp_keepcnt = %d\ntcp_user_timeout = %d", idle, interval, count, user),
		own("redis.conf", `^redis-server$`, "Redis sends three probes, a third of this time apart. "+noUserTimeout, "tcp-keepalive %g", idle),
		own("MariaDB, in the section [mariadbd]", `^(mariadbd|mysqld|mariadb-server)$`, noUserTimeout, "tcp_keepalive_time = %g\ntcp_keepalive_interval = %g\ntcp_keepalive_probes = %d", idle, interval, count),
		{For: "systemd, in the .socket unit of a server that it starts", Note: noUserTimeout, Text: fmt.Sprintf("KeepAlive=yes\nKeepAliveTimeSec=%g\nKeepAliveIntervalSec=%g\nKeepAliveProbes=%d", idle, interval, count)},
	}
}
