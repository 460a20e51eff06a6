package page_test

import (
	"bytes"
	"html"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
)

// advised are the sections of an audit's page about what to change, by their names, and whether
// they are open.
func advised(t *testing.T, p answer.Program, bySysctl bool) (texts map[string]string, open []string) {
	t.Helper()
	a, _ := auditReport(t)
	a.Program = p
	a.Advice = &answer.Advice{Idle: seconds(210), Interval: seconds(30), Count: 3, UserTimeout: seconds(299), BySysctl: bySysctl}
	texts = map[string]string{}
	for _, m := range regexp.MustCompile(`(?s)<details class="recipe"( open)?><summary>(.*?)</summary><pre tabindex="0">(.*?)</pre>`).FindAllStringSubmatch(render(t, a, t.TempDir()), -1) {
		texts[m[2]] = html.UnescapeString(m[3])
		if m[1] != "" {
			open = append(open, m[2])
		}
	}
	return texts, open
}

func TestTheAdviceFitsTheProgram(t *testing.T) {
	for _, c := range []struct {
		program  answer.Program
		bySysctl bool
		want     string // what is open
		not      string // what has no place on the page
	}{
		{program: answer.Program{Side: answer.Server, Command: "python3 echo.py"}, want: "Python", not: "nginx.conf"},
		{program: answer.Program{Side: answer.Server, Command: "./myserver --config /etc/redis/redis.conf"}, want: "C", not: "redis.conf"},
		{program: answer.Program{Side: answer.Server, Command: "nginx -g 'daemon off;'"}, want: "nginx.conf", not: "haproxy.cfg"},
		{program: answer.Program{Side: answer.Client, Command: "env PEER={server}:{port} haproxy -db -f x.cfg"}, want: "haproxy.cfg", not: "systemd, in the .socket unit of a server that it starts"},
		{program: answer.Program{Side: answer.Server, Command: "/usr/lib/postgresql/15/bin/postgres -D /var", Package: "postgresql-15 15.20-0+deb12u1"}, bySysctl: true, want: "postgresql.conf, the whole machine, by sysctl: the program has keepalive on, with the system&#39;s values"},
		{program: answer.Program{Side: answer.Client, Command: "java -jar /opt/app.jar"}, want: "Java", not: "systemd, in the .socket unit of a server that it starts"},
	} {
		texts, open := advised(t, c.program, c.bySysctl)
		if got := strings.Join(open, ", "); got != c.want {
			t.Errorf("%s: %q is open, expected %q", c.program.Command, got, c.want)
		}
		if _, there := texts[c.not]; there {
			t.Errorf("%s: the page has %q", c.program.Command, c.not)
		}
		if _, there := texts["C"]; !there {
			t.Errorf("%s: the page has no setsockopt: %q", c.program.Command, texts)
		}
	}
}

// Each text is run as it is copied, and the kernel is asked what it has set: keepalive, idle, interval,
// count, user timeout.
func TestTheAdviceSetsWhatItSays(t *testing.T) {
	const want = "1 210 30 3 299000"
	texts, _ := advised(t, answer.Program{Side: answer.Server, Command: "./server", Port: 5000}, false)
	for language, c := range map[string]struct {
		file, frame string
		command     []string
	}{
		"Python": {"a.py", `import socket
server = socket.create_server(("127.0.0.1", 0))
sock = socket.create_connection(server.getsockname())
TEXT
print(*[sock.getsockopt(l, o) for l, o in ((1, 9), (6, 4), (6, 5), (6, 6), (6, 18))])
`, []string{"python3", "a.py"}},
		"C": {"a.c", `#include <stdio.h>
#include <sys/socket.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
int main(void) {
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	TEXT
	int at[][2] = {{1, 9}, {6, 4}, {6, 5}, {6, 6}, {6, 18}};
	for (int i = 0; i < 5; i++) {
		int value = 0;
		socklen_t size = sizeof value;
		getsockopt(fd, at[i][0], at[i][1], &value, &size);
		printf("%d ", value);
	}
	return 0;
}
`, []string{"sh", "-c", "gcc -o a a.c && ./a"}},
		"Go": {"main.go", `package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

func main() {
	TEXT
	l, err := listener.Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	if _, err := net.Dial("tcp", l.Addr().String()); err != nil {
		panic(err)
	}
	c, err := l.Accept()
	if err != nil {
		panic(err)
	}
	raw, err := c.(*net.TCPConn).SyscallConn()
	if err != nil {
		panic(err)
	}
	_ = raw.Control(func(fd uintptr) {
		for _, o := range [][2]int{{1, 9}, {6, 4}, {6, 5}, {6, 6}, {6, 18}} {
			value, _ := unix.GetsockoptInt(int(fd), o[0], o[1])
			fmt.Print(value, " ")
		}
	})
}
`, []string{"go", "run", "main.go"}},
	} {
		t.Run(language, func(t *testing.T) {
			directory := t.TempDir()
			file := filepath.Join(directory, c.file)
			if err := os.WriteFile(file, []byte(strings.Replace(c.frame, "TEXT", texts[language], 1)), 0o644); err != nil {
				t.Fatal(err)
			}
			cmd := exec.CommandContext(t.Context(), c.command[0], c.command[1:]...)
			cmd.Dir = directory
			if language == "Go" { // the module has golang.org/x/sys
				cmd = exec.CommandContext(t.Context(), "go", "run", file)
			}
			var errors bytes.Buffer
			cmd.Stderr = &errors
			out, err := cmd.Output()
			if got := strings.TrimSpace(string(out)); err != nil || got != want {
				t.Errorf("the kernel has %q, expected %q: %v\n%s", got, want, err, errors.String())
			}
		})
	}
}
