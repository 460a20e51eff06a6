package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/halfopen-lab/halfopen/harness/environment"
	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
)

// program writes a program in Python and returns its command.
func program(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "program.py")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return "/usr/bin/python3 " + file
}

// listener is a server that listens on some addresses.
const listener = `
import socket, threading
def serve(family, address, only=None):
    s = socket.socket(family); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if only is not None: s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, only)
    s.bind((address, 5000)); s.listen()
    while True:
        c, _ = s.accept()
        threading.Thread(target=read, args=(c,)).start()
def read(c):
    while c.recv(4096): pass
    c.close()
`

// A server is reached where it listens, by IPv4 before IPv6.
func TestAServerIsMeasuredWhereverItListens(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		what, text     string
		ipv6, loopback bool
	}{
		{"127.0.0.1 and ::1", "threading.Thread(target=serve, args=(socket.AF_INET6, '::1', 1)).start(); serve(socket.AF_INET, '127.0.0.1')", false, true},
		{"::1", "serve(socket.AF_INET6, '::1', 1)", true, true},
		{"IPv6 alone", "serve(socket.AF_INET6, '::', 1)", true, false},
		{"IPv6 and IPv4 on one socket", "serve(socket.AF_INET6, '::', 0)", false, false},
	} {
		stdout, stderr, status := halfopen(t, "run", "process killed", "idle timeout of 350 s, RST both ways", "--server", program(t, listener+c.text), "--port", "5000", "--watch", "10m", "--json", "--report", t.TempDir())
		var a answer.Answer
		if err := json.Unmarshal([]byte(stdout), &a); err != nil || status != kept || len(a.Faults) != 2 {
			t.Fatalf("%s: exit status %d, %v:\n%s%s", c.what, status, err, stdout, stderr)
		}
		if a.Program.IPv6 != c.ipv6 || a.Program.Loopback != c.loopback {
			t.Errorf("%s: IPv6 %t, loopback %t", c.what, a.Program.IPv6, a.Program.Loopback)
		}
		want := map[string]string{"process killed": "FIN; closes after 0 s", "idle timeout of 350 s, RST both ways": "RST; ECONNRESET after 350 s"}
		for _, f := range a.Faults {
			if words, ok := want[f.Name]; ok && !strings.HasPrefix(f.Words(), words) {
				t.Errorf("%s: %s: %s, expected %s", c.what, f.Name, f.Words(), words)
			}
		}
	}
}

// What the machine has is there: programs, users, and the current directory; what is hidden
// is not.
func TestAProgramFindsThisMachinesRoot(t *testing.T) {
	directory := t.TempDir()
	for name, content := range map[string]string{
		"secret": "x", "settings": "listen=5000",
		"start": "#!/bin/sh\nset -e\nmkdir made; sleep 1; chown www-data made; test ! -e " + directory + "/secret; . ./settings; exec /usr/bin/python3 -c '" +
			"import socket; s = socket.create_server((\"\", 5000)); c, _ = s.accept()\nwhile c.recv(4096): pass'\n",
	} {
		if err := os.WriteFile(filepath.Join(directory, name), []byte(content), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	halfopen := built(t, ".")
	cmd := exec.Command(halfopen, "run", "process killed", "--server", "./start", "--port", "5000", "--hide", "secret", "--prepare", "chown www-data settings; mkdir /srv/prepared", "--report", t.TempDir())
	cmd.Dir = directory
	out, stderr, status := ran(t, cmd)
	if status != kept || !strings.Contains(out, "process killed, idle: FIN; ") {
		t.Errorf("exit status %d:\n%s%s", status, out, stderr)
	}
	if entries, err := os.ReadDir(directory); err != nil || len(entries) != 3 {
		t.Errorf("the directory has %v, %v", entries, err)
	}
	if _, err := os.Stat("/srv/prepared"); err == nil {
		t.Error("the machine has /srv/prepared")
	}
}

func TestTheLastThatAProgramSentIsTold(t *testing.T) {
	t.Parallel()
	server := program(t, "import socket\ns = socket.create_server(('', 5000))\nwhile True:\n    c, _ = s.accept(); c.sendall(b'-DENIED protected mode\\r\\n'); c.close()\n")
	_, stderr, status := audited(t, "--server", server, "--port", "5000", "--report", t.TempDir())
	if want := `the last that it sent: "-DENIED protected mode"`; status != notMeasured || !strings.Contains(stderr, want) {
		t.Errorf("exit status %d, expected %q:\n%s", status, want, stderr)
	}
}

func TestTheProgramThatDiedIsBlamed(t *testing.T) {
	t.Parallel()
	server := program(t, "import socket, sys\ns = socket.create_server(('', 5000)); s.close(); print('FATAL: no licence'); sys.exit(3)\n")
	client := program(t, "import socket, sys, time\ntime.sleep(1); socket.create_connection((sys.argv[1], 5000))\n")
	_, stderr, status := audited(t, "--server", server, "--client", client+" {server}", "--port", "5000", "--report", t.TempDir())
	if want := "exit status 3; it wrote: FATAL: no licence"; status != notMeasured || !strings.Contains(stderr, want) || strings.Contains(stderr, "refused") {
		t.Errorf("exit status %d, expected %q:\n%s", status, want, stderr)
	}
}

// What is wrong with the machine's variables and files, or with a package's name, is said on
// one line that names it.
func TestWhatIsWrongAroundAnAuditIsNamed(t *testing.T) {
	t.Parallel()
	halfopen := built(t, ".")
	for _, c := range []struct {
		environment, arguments []string
		want                   []string
	}{
		{[]string{"HOME=", "XDG_CACHE_HOME="}, nil, []string{"HOME", "XDG_CACHE_HOME"}},
		{[]string{"TMPDIR=/nosuch"}, nil, []string{"TMPDIR", "/nosuch"}},
		{nil, []string{"--package", "redis-sever"}, []string{"apt knows no package redis-sever", "redis-server"}},
		{nil, []string{"--package", "redis-server", "--machine", "qemu"}, []string{"--machine um"}},
	} {
		cmd := exec.Command(halfopen, append([]string{"audit", "--server", "cat", "--port", "5000", "--report", t.TempDir()}, c.arguments...)...)
		cmd.Env = append(os.Environ(), c.environment...)
		_, stderr, status := ran(t, cmd)
		lines := strings.Split(strings.TrimSpace(stderr), "\n")
		last := lines[len(lines)-1]
		for _, want := range c.want {
			if status != notMeasured || !strings.Contains(last, want) || len(lines) > 2 { // the first says what is being done
				t.Errorf("%q %q: exit status %d, %q, expected %q", c.environment, c.arguments, status, stderr, want)
			}
		}
	}
}

// A package is what apt-get install leaves; it is installed once, and a damaged layer is named
// with the remedy.
func TestAPackageIsInstalledOnceAndADamagedLayerIsNamed(t *testing.T) {
	t.Parallel()
	cache, err := environment.Cache()
	if err != nil {
		t.Fatal(err)
	}
	own := t.TempDir()
	if err := os.Mkdir(filepath.Join(own, "halfopen"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"kernel", "debian"} { // what takes minutes
		if err := os.Symlink(filepath.Join(cache, name), filepath.Join(own, "halfopen", name)); err != nil {
			t.Fatal(err)
		}
	}
	halfopen := built(t, ".")
	run := func() (out, stderr string, status int) {
		cmd := exec.Command(halfopen, "run", "process killed", "--package", "memcached", "--server", "memcached -u memcache -l 127.0.0.1", "--port", "11211", "--json", "--report", t.TempDir())
		cmd.Env = append(os.Environ(), "XDG_CACHE_HOME="+own)
		return ran(t, cmd)
	}
	out, stderr, status := run()
	if status != kept || !strings.Contains(stderr, "installing") || !strings.Contains(out, `"package": "memcached 1.`) {
		t.Fatalf("exit status %d:\n%s%s", status, out, stderr)
	}
	if out, stderr, status = run(); status != kept || strings.Contains(stderr, "installing") {
		t.Errorf("the second time: exit status %d:\n%s%s", status, out, stderr)
	}
	layers, err := filepath.Glob(filepath.Join(own, "halfopen/roots/*.tar"))
	if err != nil || len(layers) != 1 {
		t.Fatalf("the cache has %q, %v", layers, err)
	}
	cached := func(arguments ...string) (out, stderr string, status int) {
		cmd := exec.Command(halfopen, append([]string{"cache"}, arguments...)...)
		cmd.Env = append(os.Environ(), "XDG_CACHE_HOME="+own)
		return ran(t, cmd)
	}
	if out, stderr, status := cached("list"); status != kept || !strings.Contains(out, "memcached 1.") || !strings.Contains(out, "Linux 6.12") || !strings.Contains(out, "iptables 1.") {
		t.Errorf("the list: exit status %d: %s%s", status, out, stderr)
	}
	if out, stderr, status := cached("verify"); status != kept {
		t.Errorf("verified: exit status %d: %s%s", status, out, stderr)
	}
	if err := os.Truncate(layers[0], 1000); err != nil {
		t.Fatal(err)
	}
	if _, stderr, status := cached("verify"); status != notMeasured || !strings.Contains(stderr, layers[0]+" is damaged") {
		t.Errorf("verified when it is damaged: exit status %d: %s", status, stderr)
	}
	if _, stderr, status = run(); status != notMeasured || !strings.Contains(stderr, layers[0]+" is damaged") || !strings.Contains(stderr, "remove it") {
		t.Errorf("a damaged layer: exit status %d:\n%s", status, stderr)
	}
	for _, name := range []string{"kernel", "debian"} { // this machine's cache stays
		if err := os.Remove(filepath.Join(own, "halfopen", name)); err != nil {
			t.Fatal(err)
		}
	}
	if _, stderr, status := cached("clean"); status != kept {
		t.Errorf("cleaned: exit status %d: %s", status, stderr)
	}
	if left, err := filepath.Glob(filepath.Join(own, "halfopen", "*", "*")); err != nil || len(left) > 0 {
		t.Errorf("these files are left: %q, %v", left, err)
	}
}
