package page

import (
	"fmt"

	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
)

// recipe is the advice as text to copy.
type recipe struct{ For, Text string }

// recipes returns the advice in the words of programs and languages. Sources: tcp(7);
// net.KeepAliveConfig; jdk.net.ExtendedSocketOptions; the directive listen of
// ngx_http_core_module; systemd.socket(5).
func recipes(a *answer.Advice, side answer.Side) []recipe {
	idle, interval, count := a.Idle.Duration(), a.Interval.Duration(), a.Count
	user := a.UserTimeout.Duration().Milliseconds()
	all := []recipe{
		{"C", fmt.Sprintf(`int on = 1, idle = %g, interval = %g, count = %d;
unsigned int user_timeout = %d; /* ms */
setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof interval);
setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof count);
setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &user_timeout, sizeof user_timeout);`, idle.Seconds(), interval.Seconds(), count, user)},
		{"Python", fmt.Sprintf(`sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, %g)
sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, %g)
sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, %d)
sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, %d)`, idle.Seconds(), interval.Seconds(), count, user)},
	}
	config := fmt.Sprintf("net.KeepAliveConfig{Enable: true, Idle: %g * time.Second, Interval: %g * time.Second, Count: %d}", idle.Seconds(), interval.Seconds(), count)
	if side == answer.Server {
		all = append(all,
			recipe{"Go", "listener := net.ListenConfig{KeepAliveConfig: " + config + "}"},
			recipe{"nginx", fmt.Sprintf("listen 80 so_keepalive=%gs:%gs:%d;", idle.Seconds(), interval.Seconds(), count)},
			recipe{"systemd, in the .socket unit", fmt.Sprintf("KeepAlive=yes\nKeepAliveTimeSec=%g\nKeepAliveIntervalSec=%g\nKeepAliveProbes=%d", idle.Seconds(), interval.Seconds(), count)})
	} else {
		all = append(all, recipe{"Go", "dialer := net.Dialer{KeepAliveConfig: " + config + "}"})
	}
	all = append(all, recipe{"Java", fmt.Sprintf(`socket.setOption(StandardSocketOptions.SO_KEEPALIVE, true);
socket.setOption(ExtendedSocketOptions.TCP_KEEPIDLE, %g);
socket.setOption(ExtendedSocketOptions.TCP_KEEPINTERVAL, %g);
socket.setOption(ExtendedSocketOptions.TCP_KEEPCOUNT, %d);`, idle.Seconds(), interval.Seconds(), count)})
	if a.BySysctl {
		all = append(all, recipe{"the whole machine: the program has keepalive on, with the system's values", fmt.Sprintf(
			"sysctl -w net.ipv4.tcp_keepalive_time=%g net.ipv4.tcp_keepalive_intvl=%g net.ipv4.tcp_keepalive_probes=%d", idle.Seconds(), interval.Seconds(), count)})
	}
	return all
}
