package image

import (
	"reflect"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

func TestConfig(t *testing.T) {
	has, err := configOf(v1.Config{
		Entrypoint: []string{"docker-entrypoint.sh"}, Cmd: []string{"redis-server", "--port", "1"}, Env: []string{"PATH=/bin", "EMPTY="},
		User: "999:999", WorkingDir: "data", ExposedPorts: map[string]struct{}{"6379/tcp": {}, "53/UDP": {}, "53": {}, "53/tcp": {}}, Volumes: map[string]struct{}{"/data": {}},
	})
	want := Config{
		Entrypoint: []string{"docker-entrypoint.sh"}, Command: []string{"redis-server", "--port", "1"}, Environment: []string{"PATH=/bin", "EMPTY="},
		User: "999:999", Directory: "/data", Ports: []Port{{53, "tcp"}, {53, "udp"}, {6379, "tcp"}}, volumes: []string{"/data"},
	}
	if err != nil || !reflect.DeepEqual(has, want) {
		t.Errorf("%+v, %v", has, err)
	}
	if a := has.Arguments(); !reflect.DeepEqual(a, []string{"docker-entrypoint.sh", "redis-server", "--port", "1"}) {
		t.Errorf("it runs %q", a)
	}
	if has, err := configOf(v1.Config{}); err != nil || has.Directory != "/" || len(has.Arguments()) > 0 {
		t.Errorf("%+v, %v", has, err)
	}
}

func TestTheOnlyTCPPort(t *testing.T) {
	for _, test := range []struct {
		ports []Port
		want  uint16 // 0: none, or several
	}{
		{nil, 0},
		{[]Port{{53, "udp"}}, 0},
		{[]Port{{53, "udp"}, {80, "tcp"}}, 80},
		{[]Port{{80, "tcp"}, {443, "tcp"}}, 0},
		{[]Port{{80, "tcp"}, {443, "tcp"}, {8080, "tcp"}}, 0},
	} {
		port, ok := (Config{Ports: test.ports}).TCPPort()
		if ok != (test.want != 0) || ok && port != test.want {
			t.Errorf("%v: %d, %v, expected %d", test.ports, port, ok, test.want)
		}
	}
}

func TestMalformedConfigurations(t *testing.T) {
	for want, c := range map[string]v1.Config{
		`exposes the port "web", which is none`:            {ExposedPorts: map[string]struct{}{"web": {}}},
		`exposes the port "70000/tcp", which is none`:      {ExposedPorts: map[string]struct{}{"70000/tcp": {}}},
		`exposes the port "0", which is none`:              {ExposedPorts: map[string]struct{}{"0": {}}},
		`has the variable "PATH", which is not NAME=VALUE`: {Env: []string{"PATH"}},
		`has a zero byte in "a\x00b"`:                      {Entrypoint: []string{"a\x00b"}},
	} {
		if _, err := configOf(c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, expected %q", err, want)
		}
	}
}
