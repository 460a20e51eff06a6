package audit

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
)

func load(t *testing.T, text string) (Request, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "halfopen.yaml")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return Load(t.Context(), path)
}

func TestAFile(t *testing.T) {
	r, err := load(t, `
client: ./client {server}:{port}
port: 5000
take: [client.conf]
watch: 3h
presets: [azure-lb]
expect:
  notices:
    host powered off: 60s
    host powered off, busy: 5m
  survives: [aws-nlb-tcp, aws-alb]
`)
	if err != nil {
		t.Fatal(err)
	}
	p := r.completed()
	if p.UnderTest != answer.Client || p.Port != 5000 || p.Watch != 3*time.Hour || p.Ready != Default().Ready {
		t.Errorf("the request: %+v", p)
	}
	if r.Expect.Notices["host powered off, busy"] != 5*time.Minute {
		t.Errorf("the promises: %+v", r.Expect)
	}
	// A proxy that is promised is derived.
	if !slices.Equal(p.Presets, []string{"aws-nlb-tcp", "azure-lb"}) {
		t.Errorf("the presets that are run: %q", p.Presets)
	}
}

func TestEachSideOfAFileAddsToWhatAllFind(t *testing.T) {
	r, err := load(t, `
packages: [redis-server]
environment: [A=1]
user: redis
files: {/etc/app.conf: "a", /etc/other.conf: "b"}
server:
  command: redis-server --port {port}
  prepare: [mkdir /srv/data]
client:
  command: ./client {server}:{port}
  packages: [redis-tools]
  environment: [B=2]
  user: nobody
  files: {/etc/app.conf: {file: my.conf}}
port: 6379
`)
	if err != nil {
		t.Fatal(err)
	}
	server, client := r.setup(answer.Server), r.setup(answer.Client)
	if r.Server.Command != "redis-server --port {port}" || server.User != "redis" || !slices.Equal(server.Packages, []string{"redis-server"}) || !slices.Equal(server.Prepare, []string{"mkdir /srv/data"}) {
		t.Errorf("the server: %+v", server)
	}
	if client.User != "nobody" || !slices.Equal(client.Packages, []string{"redis-server", "redis-tools"}) || !slices.Equal(client.Environment, []string{"A=1", "B=2"}) {
		t.Errorf("the client: %+v", client)
	}
	if want := map[string]Content{"/etc/app.conf": {File: "my.conf"}, "/etc/other.conf": {Text: "b"}}; !maps.Equal(client.Files, want) || server.Files["/etc/app.conf"].Text != "a" {
		t.Errorf("the files: %v and %v", server.Files, client.Files)
	}
	if places := r.places(); len(places) != 2 {
		t.Errorf("they have %d roots, expected one each", len(places))
	}
	r.Client.Setup, r.Server.Setup = Setup{User: "nobody", Environment: []string{"B=2"}, Take: []string{}}, Setup{}
	if places := r.places(); len(places) != 1 {
		t.Errorf("they have %d roots, expected one: they differ by user and environment alone", len(places))
	}
}

// before returns an error's text up to a list, which has lines of its own.
func before(err error, list string) string {
	text, _, _ := strings.Cut(err.Error(), list)
	return text
}

func TestAProgramBesideHasTheRootOfItsSideOrItsOwn(t *testing.T) {
	r, err := load(t, `
user: app
server: {command: server, packages: [nginx], environment: [A=1]}
client: {command: client, take: [client.conf]}
under_test: client
port: 80
beside:
- {command: helper, environment: [B=2]}
- {command: log, on: server, user: syslog}
- {name: broker, on: server, packages: [mosquitto], command: mosquitto, ready: {port: 1883}}
`)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Check(); err != nil {
		t.Fatal(err)
	}
	r = r.completed()
	if len(r.places()) != 3 {
		t.Errorf("there are %d roots, expected the client's, the server's and the broker's", len(r.places()))
	}
	var setups []Setup
	for _, b := range r.Beside {
		setups = append(setups, r.besideSetup(b))
	}
	if s := setups[0]; s.key() != r.setup(answer.Client).key() || s.User != "app" || !slices.Equal(s.Environment, []string{"B=2"}) {
		t.Errorf("the helper: %+v, expected the client's root", s)
	}
	if s := setups[1]; s.key() != r.setup(answer.Server).key() || s.User != "syslog" || len(s.Environment) > 0 {
		t.Errorf("the log: %+v, expected the server's root", s)
	}
	if s := setups[2]; !slices.Equal(s.Packages, []string{"mosquitto"}) || s.User != "app" {
		t.Errorf("the broker: %+v, expected its own root", s)
	}
}

func TestWhatIsWrongWithAFileIsSaidOnOneLine(t *testing.T) {
	for text, want := range map[string]string{
		"sever: x":                         "there is no field sever here: the nearest are server, user, send; the fields are:\n  server\n  client\n",
		"port: many":                       "line 1: many is not a port: write a number from 1 to 65535",
		"port: 5000.5":                     "line 1: 5000.5 is not a port",
		"port: 1\n---\nport: 2":            "a second YAML document",
		"only: [x]":                        "there is no field only here",
		"port: 1\necho: 7":                 "line 2: 7 is not true or false",
		"take: x":                          "x is not a list",
		"server: [x]":                      "this is not a text or a list of fields",
		"server: {comand: x}":              "line 1: there is no field comand here: the nearest are command, ",
		"client: {port: 5}":                "line 1: there is no field port here",
		"files: x":                         "x is not a list of fields",
		"files: {/x: [y]}":                 "this is not a text or a list of fields",
		"files: {/x: {from: y}}":           "there is no field from here: the nearest is file; the fields are:\n  file",
		"expect: x":                        "x is not a list of fields",
		"port: 70000":                      "70000 is not a port",
		"port: 1\nport: 2":                 "line 2: port is there twice",
		"watch: 3 hours":                   "3 hours is not a duration: write it as 90s or 2h30m",
		"watch: 60":                        "60 is not a duration: write it as 90s or 2h30m",
		"server: [":                        "line 1: it is not YAML: ",
		"expect: {wins: 1}":                "there is no field wins here: the nearest are notices, survives, recovers; the fields are:\n  notices\n  recovers\n  survives",
		"server: &a x\nclient: *a":         "line 2: *a refers to another part of the file",
		"a: &a [*a]":                       "refers to another part of the file",
		"port: !!int \"5000\"":             "the tag !!int has no meaning here",
		"port: \"5000\"":                   "5000 is not a port",
		"port: 05000":                      "05000 is not a port",
		"take: [~]":                        "an element of the list is empty",
		"? [a]\n: b":                       "a name is missing before the colon",
		"server: \xff":                     "it is not YAML",
		"server: {command: {a: b}}":        "this is not a text",
		"beside: {name: x}":                "this is not a list: write [VALUE, VALUE]",
		"beside: [{on: server, port: 5}]":  "line 1: there is no field port here: the nearest are ",
		"beside: [{ready: {ports: 5}}]":    "there is no field ports here: the nearest are port, ",
		"beside: [{ready: {port: 70000}}]": "70000 is not a port",
		"beside: [{ready: 5}]":             "5 is not a list of fields",
	} {
		if _, err := load(t, text); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), ": yaml: ") || strings.Contains(before(err, "; the fields are:"), "\n") {
			t.Errorf("%q: %v, expected %q on one line", text, err, want)
		}
	}
	if _, err := Load(t.Context(), "/nowhere"); err == nil {
		t.Error("a file that is not there is read")
	}
}
