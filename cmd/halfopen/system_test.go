package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
)

// file writes an audit, and the files that it names, and returns its path.
func file(t *testing.T, audit string, files map[string]string) string {
	t.Helper()
	directory := t.TempDir()
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(directory, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(directory, "halfopen.yaml")
	if err := os.WriteFile(path, []byte(audit), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// A greeting comes from a store, over a socket in the files that both share; the store is
// filled by a program that ends, and the client has files of its own.
const system = `
server: /usr/bin/python3 server.py
client:
  command: /usr/bin/python3 client.py {server} {port}
  files:
    /etc/expected: "hello from the store, FILLED, at home in /srv"
    /srv/copy: {file: copied}
  prepare: [grep -q FILLED /srv/copy]
port: 5000
beside:
  - name: filler
    on: server
    command: sh -c 'echo $WHAT >/srv/content'
    environment: [WHAT=FILLED]
    ready: {exit: true}
  - name: store
    on: server
    command: /usr/bin/python3 store.py
    ready: {line: "^the store is open", port: 5001, command: "test -S /run/store"}
`

var systemFiles = map[string]string{
	"copied": "FILLED",
	"store.py": `
import socket
also = socket.create_server(("127.0.0.1", 5001))
s = socket.socket(socket.AF_UNIX); s.bind("/run/store"); s.listen()
print("the store is open", flush=True)
while True:
    c, _ = s.accept()
    c.sendall(f"hello from the store, {open('/srv/content').read().strip()}, at home in /srv".encode()); c.close()
`,
	"server.py": `
import socket
s = socket.create_server(("", 5000)); c, _ = s.accept()
store = socket.socket(socket.AF_UNIX); store.connect("/run/store")
c.sendall(store.recv(100)); c.recv(1)
`,
	"client.py": `
import os, socket, sys
c = socket.create_connection((sys.argv[1], int(sys.argv[2])))
said, expected = c.recv(100).decode(), open("/etc/expected").read()
assert said == expected, said
assert not os.path.exists("/run/store") and not os.path.exists("/srv/content"), "the client sees the server's files"
c.recv(1)
`,
}

func TestASmallSystem(t *testing.T) {
	t.Parallel()
	audit, report := file(t, system, systemFiles), t.TempDir()
	out, stderr, status := halfopen(t, "run", "process killed", "host rebooted, off for 60 s", "-f", audit, "--report", report)
	if status != kept || !strings.Contains(out, "process killed, idle: FIN; ") {
		t.Fatalf("exit status %d:\n%s%s", status, out, stderr)
	}
	a, err := answer.Read(t.Context(), filepath.Join(report, answer.JSONFile))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"filler: sh -c 'echo $WHAT >/srv/content', on the server's host", "store: /usr/bin/python3 store.py, on the server's host"}
	if strings.Join(a.Program.Beside, "\n") != strings.Join(want, "\n") || !strings.Contains(a.Text(), "\nbeside      "+want[1]) {
		t.Errorf("beside the two there is %q, expected %q", a.Program.Beside, want)
	}
	for _, f := range a.Faults {
		if f.Verdict == answer.Unmeasured {
			t.Errorf("%s: %s", f.Title(), f.Words())
		}
	}
}

// The program that keeps a system from working is the one that is blamed, with its last words.
func TestTheProgramBesideThatFailsIsBlamed(t *testing.T) {
	t.Parallel()
	const sides = "server: /usr/bin/python3 -c 'import socket; s = socket.create_server((\"\", 5000)); c, _ = s.accept(); c.recv(1)'\nport: 5000\nready: 5s\nbeside:\n  - {name: store, on: server, "
	for besides, want := range map[string]string{
		`command: "sh -c 'echo still starting; exec sleep 1000'", ready: {port: 5001}}`:                       "store did not listen on port 5001 within 5s; it wrote: still starting",
		`command: "sh -c 'echo still starting; exec sleep 1000'", ready: {line: "^started"}}`:                 `store did not write a line that matches "^started" within 5s; it wrote: still starting`,
		`command: "sh -c 'echo still starting; exec sleep 1000'", ready: {command: "test -e /nosuch"}}`:       `store did not let "test -e /nosuch" succeed within 5s; it wrote: still starting`,
		`command: "sh -c 'echo still starting; exec sleep 1000'", ready: {exit: true}}`:                       "store did not end within 5s; it wrote: still starting",
		`command: "sh -c 'echo no disk; exit 3'", ready: {port: 5001}}`:                                       "store ended before it was ready: exit status 3; it wrote: no disk",
		`command: "sh -c 'echo no disk; exit 3'", ready: {line: started}}`:                                    "store ended before it was ready: exit status 3; it wrote: no disk",
		`command: "sh -c 'echo no disk; exit 3'", ready: {command: "false"}}`:                                 "store ended before it was ready: exit status 3; it wrote: no disk",
		`command: "sh -c 'echo no disk; exit 3'", ready: {exit: true}}`:                                       "store ended before it was ready: exit status 3; it wrote: no disk",
		`command: "sh -c 'sleep 5; echo no disk; exit 3'"}`:                                                   "store ended before the connection had settled: exit status 3; it wrote: no disk",
		`command: "sleep 100000", user: nobody-knows, ready: {line: x}}`:                                      "there is no user nobody-knows in /etc/passwd",
		`command: "sleep 100000"}` + "\n  - {name: check, on: server, command: nosuch-program}":               "nosuch-program is not on this machine",
		`command: "sleep 100000"}` + "\n  - {name: check, on: server, command: sleep 9, ready: {command: x}}": "x is not on this machine",
	} {
		_, stderr, status := halfopen(t, "run", "process killed", "-f", file(t, sides+besides, nil), "--report", t.TempDir())
		lines := strings.Split(strings.TrimSpace(stderr), "\n")
		if last := lines[len(lines)-1]; status != notMeasured || !strings.HasPrefix(last, "halfopen: "+want) {
			t.Errorf("%s: exit status %d, expected %q:\n%s", besides, status, want, stderr)
		}
	}
}

// Each side has the root of its own image; what neither image has is not there.
func TestAPairOfTwoImages(t *testing.T) {
	privateImages(t)
	server := inLayout(t, makeImage(t, "../../fixtures/programs/echo", v1.Config{Entrypoint: []string{"app"}, ExposedPorts: map[string]struct{}{"5000/tcp": {}}}))
	client := inLayout(t, makeImage(t, "./testdata/visitor", v1.Config{Entrypoint: []string{"app", "{server}:{port}"}, User: "7:9"}, imageLayer(t, map[string]string{"etc/visitor": "the client's image"})))
	audit := file(t, "server: {image: "+server+"}\nclient: {image: "+client+"}\nwatch: 5m\n", nil)
	for _, machine := range []string{"um", "qemu"} {
		stdout, stderr, status := audited(t, "-f", audit, "--machine", machine, "--json", "--report", t.TempDir())
		var a answer.Answer
		if err := json.Unmarshal([]byte(stdout), &a); status != kept || err != nil {
			t.Fatalf("%s: exit status %d, %v:\n%s%s", machine, status, err, stdout, stderr)
		}
		if p := a.Program; p.Command != "app" || p.Peer != "app {server}:{port}" || p.Port != 5000 || p.Image == nil || p.Image.Name != server {
			t.Errorf("%s: the program is %+v of %+v", machine, p, p.Image)
		}
	}
}
