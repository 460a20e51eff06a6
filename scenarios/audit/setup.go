package audit

import (
	"encoding/json"
	"maps"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
)

// Setup is what a program finds: a root file system, and what the program is started with.
type Setup struct {
	// Image is a container image whose root is the program's: a reference, or a file
	// (harness/virtual/image). Without a command the image's own program is started; the
	// port that it exposes is Request.Port's default, and its user is User's.
	Image       string             `yaml:"image"`
	Packages    []string           `yaml:"packages"`    // Debian packages for the guest: NAME or NAME=VERSION
	Take        []string           `yaml:"take"`        // files and directories for the guest: PATH, or PATH:NAME-IN-THE-GUEST
	Hide        []string           `yaml:"hide"`        // files and directories of this machine that the guest does not see
	Files       map[string]Content `yaml:"files"`       // files to lay over the root, by their absolute paths
	Prepare     []string           `yaml:"prepare"`     // shell commands that run once in the root before any program
	Environment []string           `yaml:"environment"` // NAME=VALUE, beside PATH, HOME and LANG
	User        string             `yaml:"user"`        // USER or USER:GROUP; empty: root
}

// Program is the program of a side with what it alone finds. In a file a text is its command.
type Program struct {
	// Command is split into words as a shell does, but no shell reads it. {server} and
	// {port} are replaced by the address and the port of the server.
	Command string `yaml:"command"`
	Setup   `yaml:",inline"`
}

// Content is what a file has: a text, or what a file of this machine has.
type Content struct {
	Text string `yaml:"-"`
	File string `yaml:"file"` // empty: Text
}

// UnmarshalYAML implements yaml.Unmarshaler.
func (p *Program) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind == yaml.ScalarNode {
		return node.Decode(&p.Command)
	}
	type fields Program
	return node.Decode((*fields)(p))
}

// UnmarshalYAML implements yaml.Unmarshaler.
func (c *Content) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind == yaml.ScalarNode {
		return node.Decode(&c.Text)
	}
	type fields Content
	return node.Decode((*fields)(c))
}

// given reports whether there is a program: a command, or an image's own.
func (p Program) given() bool { return p.Command != "" || p.Image != "" }

// with returns a setup with what one program adds to it: its lists are appended, and its
// image, its user and its files replace those of the same name.
func (s Setup) with(own Setup) Setup {
	s.Packages = slices.Concat(s.Packages, own.Packages)
	s.Take = slices.Concat(s.Take, own.Take)
	s.Hide = slices.Concat(s.Hide, own.Hide)
	s.Prepare = slices.Concat(s.Prepare, own.Prepare)
	s.Environment = slices.Concat(s.Environment, own.Environment)
	files := maps.Clone(s.Files)
	for name, content := range own.Files {
		if files == nil {
			files = map[string]Content{}
		}
		files[name] = content
	}
	s.Files = files
	if own.Image != "" {
		s.Image = own.Image
	}
	if own.User != "" {
		s.User = own.User
	}
	return s
}

// setup returns all that the program of a side finds.
func (r Request) setup(side answer.Side) Setup { return r.Setup.with(r.program(side).Setup) }

// programs returns the programs of the request, each with all that it finds.
func (r Request) programs() (all []Program) {
	for _, side := range []answer.Side{answer.Server, answer.Client} {
		if p := r.program(side); p.given() {
			all = append(all, Program{p.Command, r.setup(side)})
		}
	}
	for _, b := range r.Beside {
		all = append(all, Program{b.Command, r.besideSetup(b)})
	}
	return all
}

// root returns the part of a setup that is its root, without what programs are started with.
func (s Setup) root() Setup {
	s.Environment, s.User = nil, ""
	return s
}

// changesRoot reports whether a setup has anything to say of the root.
func (s Setup) changesRoot() bool { return s.root().key() != Setup{}.key() }

// key returns a text that setups with the same root have in common.
func (s Setup) key() string {
	content, err := json.Marshal(Setup{}.with(s).root()) // an empty list is none
	if err != nil {
		panic(err) // texts, and lists of texts
	}
	return string(content)
}
