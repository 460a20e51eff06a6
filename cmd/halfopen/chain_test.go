package main

import (
	"path/filepath"
	"reflect"
	"testing"

	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
)

const chain = `
server: /usr/bin/python3 relay.py
port: 5000
watch: 10m
send: hello
beside:
  - {name: backend, on: server, command: /usr/bin/python3 backend.py, ready: {port: 6000}}
`

var chainFiles = map[string]string{
	"relay.py": `
import select, socket
client, _ = socket.create_server(("", 5000)).accept()
backend = socket.create_connection(("127.0.0.1", 6000))
other = {client: backend, backend: client}
while True:
    for s in select.select([client, backend], [], [])[0]:
        data = s.recv(4096)
        if not data:
            other[s].close(); s.close()
            select.select([], [], [], 1000)
        other[s].sendall(data)
`,
	"backend.py": `
import socket, sys
c, _ = socket.create_server(("127.0.0.1", 6000)).accept()
while data := c.recv(4096):
    c.sendall(data)
sys.exit(7)
`,
}

// What a death on one leg of a proxy does to the program behind its other leg.
func TestAProgramBesideThatEndsAfterAFaultIsInTheRow(t *testing.T) {
	t.Parallel()
	report := t.TempDir()
	out, stderr, status := halfopen(t, "run", "process killed", "process stopped", "-f", file(t, chain, chainFiles), "--report", report)
	a, err := answer.Read(t.Context(), filepath.Join(report, answer.JSONFile))
	if status != kept || err != nil {
		t.Fatalf("exit status %d, %v:\n%s%s", status, err, out, stderr)
	}
	want := map[string][]answer.BesideEnd{
		"process killed":  {{Name: "backend", How: "exit status 7"}},
		"process stopped": nil,
	}
	for _, f := range a.Faults {
		if expected, ok := want[f.Name]; !ok || !reflect.DeepEqual(f.Beside, expected) {
			t.Errorf("%s: %v, expected %v", f.Title(), f.Beside, expected)
		}
	}
}
