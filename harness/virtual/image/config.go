package image

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Config is how an image's program is run (image-spec, config.md).
type Config struct {
	Entrypoint  []string
	Command     []string // the arguments of Entrypoint; without one, the program and its arguments
	Environment []string // NAME=VALUE
	// User is the user of the program, and after a colon its group: names of the image's
	// passwd(5) and group(5), or numbers. Empty: root.
	User      string
	Directory string // where the program starts; absolute
	Ports     []Port // exposed, in ascending order

	volumes []string // directories that a container is given
}

// Port is a port on which an image's program says that it listens.
type Port struct {
	Number   uint16
	Protocol string // "tcp", "udp" or "sctp"
}

// Arguments returns the program that the image runs and its arguments. It is empty for an
// image that names none.
func (c Config) Arguments() []string { return slices.Concat(c.Entrypoint, c.Command) }

// TCPPort returns the TCP port that the image exposes, if it is exactly one.
func (c Config) TCPPort() (port uint16, ok bool) {
	for _, p := range c.Ports {
		if p.Protocol != "tcp" {
			continue
		}
		if port != 0 {
			return 0, false
		}
		port = p.Number
	}
	return port, port != 0
}

// configOf reads the typed values of an image's configuration.
func configOf(c v1.Config) (Config, error) {
	ports, err := portsOf(slices.Collect(maps.Keys(c.ExposedPorts)))
	if err != nil {
		return Config{}, err
	}
	for _, setting := range c.Env {
		if name, _, ok := strings.Cut(setting, "="); !ok || name == "" {
			return Config{}, fmt.Errorf("its configuration has the variable %q, which is not NAME=VALUE", setting)
		}
	}
	for _, text := range slices.Concat(c.Entrypoint, c.Cmd, c.Env, []string{c.User, c.WorkingDir}) {
		if strings.ContainsRune(text, 0) {
			return Config{}, fmt.Errorf("its configuration has a zero byte in %q", text)
		}
	}
	return Config{
		Entrypoint: c.Entrypoint, Command: c.Cmd, Environment: c.Env, User: c.User,
		Directory: path.Join("/", c.WorkingDir), Ports: ports,
		volumes: slices.Sorted(maps.Keys(c.Volumes)),
	}, nil
}

// portsOf reads exposed ports: NUMBER or NUMBER/PROTOCOL.
func portsOf(texts []string) ([]Port, error) {
	var ports []Port
	for _, text := range texts {
		number, protocol, _ := strings.Cut(text, "/")
		value, err := strconv.ParseUint(number, 10, 16)
		if err != nil || value == 0 {
			return nil, fmt.Errorf("its configuration exposes the port %q, which is none", text)
		}
		ports = append(ports, Port{Number: uint16(value), Protocol: cmp.Or(strings.ToLower(protocol), "tcp")})
	}
	slices.SortFunc(ports, func(a, b Port) int {
		return cmp.Or(cmp.Compare(a.Number, b.Number), cmp.Compare(a.Protocol, b.Protocol))
	})
	return slices.Compact(ports), nil
}
