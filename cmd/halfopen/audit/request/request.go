// Package request is an audit as a user asks for it, with the flags of the command or in
// a file: the programs, what to take along, and what is expected of them.
//
// The plan that is made of it is package plan's; how the programs get into the guest is package
// harness/virtual/root's.
package request

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"regexp"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/halfopen-lab/halfopen/cmd/halfopen/audit/plan"
	"github.com/halfopen-lab/halfopen/cmd/halfopen/audit/promises"
)

// Request is what is asked for. Its fields are those of the file.
type Request struct {
	Server    string    `yaml:"server"`     // a command; {port} is replaced
	Client    string    `yaml:"client"`     // a command; {server} and {port} are replaced
	UnderTest plan.Side `yaml:"under_test"` // where both are programs; empty: the server
	Port      uint16    `yaml:"port"`

	Packages    []string `yaml:"packages"`    // of Debian
	Take        []string `yaml:"take"`        // PATH, or PATH:NAME-IN-THE-GUEST
	Environment []string `yaml:"environment"` // NAME=VALUE
	Prepare     []string `yaml:"prepare"`     // shell commands, run in the guest once
	User        string   `yaml:"user"`

	Send    string        `yaml:"send"`
	Echo    bool          `yaml:"echo"`
	Presets []string      `yaml:"presets"`
	Watch   time.Duration `yaml:"watch"`
	Ready   time.Duration `yaml:"ready"`

	Expect promises.Promises `yaml:"expect"`
}

// Default is a request with nothing in it but how long a program may take to be ready.
func Default() Request { return Request{Ready: time.Minute} }

// Load reads a request from a file. What the file does not have stays as in Default.
func Load(path string) (Request, error) {
	r := Default()
	content, err := os.ReadFile(path)
	if err != nil {
		return r, fmt.Errorf("reading the audit: %w", err)
	}
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	decoder.KnownFields(true)
	if err := decoder.Decode(&r); err != nil && !errors.Is(err, io.EOF) {
		return r, fmt.Errorf("reading the audit %s: %w", path, oneLine(err))
	}
	return r, nil
}

// oneLine is the first thing that is wrong: yaml lists all, a line each.
func oneLine(err error) error {
	if all, ok := errors.AsType[*yaml.TypeError](err); ok && len(all.Errors) > 0 {
		return errors.New(plain(all.Errors[0]))
	}
	return err
}

// unknownField and noTime are what the YAML library says in terms of Go.
var (
	unknownField = regexp.MustCompile(`field (\S+) not found in type (\S+)`)
	noTime       = regexp.MustCompile(`cannot unmarshal \S+ (.+) into time\.Duration`)
)

// plain is a line of the YAML library's in terms of the file.
func plain(line string) string {
	line = noTime.ReplaceAllString(line, "$1 is no time: write it as 90s or 2h30m")
	found := unknownField.FindStringSubmatch(line)
	if found == nil {
		return line
	}
	there := names(reflect.TypeFor[Request]())
	if found[2] == reflect.TypeFor[promises.Promises]().String() {
		there = names(reflect.TypeFor[promises.Promises]())
	}
	return strings.Replace(line, found[0], fmt.Sprintf("there is no %s here: there are %s", found[1], strings.Join(there, ", ")), 1)
}

// names are those that the fields of a struct have in a file.
func names(of reflect.Type) (all []string) {
	for field := range of.Fields() {
		all = append(all, field.Tag.Get("yaml"))
	}
	return all
}

// Plan is the request without its programs, which are to be packed first.
func (r Request) Plan() *plan.Plan {
	p := &plan.Plan{
		UnderTest: r.UnderTest, Port: r.Port, Send: r.Send, Echo: r.Echo,
		Watch: r.Watch, Ready: r.Ready, Prepare: r.Prepare, Presets: r.run(),
	}
	switch {
	case p.UnderTest != "":
	case r.Server != "" || r.Client == "":
		p.UnderTest = plan.Server
	default:
		p.UnderTest = plan.Client
	}
	return p
}

// run are the presets to run the program behind: those that are asked for, and those
// that are promised, where they can be.
func (r Request) run() []string {
	names := append([]string{}, r.Presets...)
	for _, name := range r.Expect.Survives {
		if plan.Runs(name) {
			names = append(names, name)
		}
	}
	return names
}
