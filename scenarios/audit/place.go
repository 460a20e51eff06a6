package audit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/halfopen-lab/halfopen/harness/virtual"
	"github.com/halfopen-lab/halfopen/harness/virtual/debian"
	"github.com/halfopen-lab/halfopen/harness/virtual/guest"
	"github.com/halfopen-lab/halfopen/harness/virtual/image"
	"github.com/halfopen-lab/halfopen/harness/virtual/root"
	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
)

// place is a root file system in which programs run. Programs whose setups have the same
// root are in one place.
type place struct {
	Setup        // its root
	at    string // where the guest has it; empty: the measuring process's own root
	// directory is where commands are started that prepare it; empty: as here.
	directory string
	find      func(command string) (root.Command, error)
	image     *image.Image         // nil: none
	wanted    *debian.Installation // the packages; nil: none
	// environment returns what programs are given anyway, as NAME=VALUE; home is that of
	// root, and of everybody in an image.
	environment func(user string) []string
}

// places returns the places of a request's programs, without what is to be found out.
func (r Request) places() (all []*place) {
	for _, p := range r.programs() {
		if placeOf(all, p.Setup) == nil {
			all = append(all, &place{Setup: p.root()})
		}
	}
	return all
}

// placeOf returns the place of a setup; nil: it is not among them.
func placeOf(all []*place, s Setup) *place {
	at := slices.IndexFunc(all, func(p *place) bool { return p.key() == s.key() })
	if at < 0 {
		return nil
	}
	return all[at]
}

// resolve asks registries, files and apt for what the place is to have. What is wrong with a
// name is said here, before anything slow.
func (p *place) resolve(ctx context.Context) (err error) {
	if p.Image != "" {
		if p.image, err = image.Open(ctx, p.Image); err != nil {
			return err
		}
	}
	if len(p.Packages) > 0 {
		p.wanted, err = debian.Resolve(ctx, p.Packages)
	}
	return err
}

// user returns the user of the place's programs who have no other.
func (p *place) user() string {
	if p.image == nil {
		return ""
	}
	return p.image.Config.User
}

// answers returns the image as the answer has it; nil: none.
func (p *place) answers() *answer.Image {
	if p.image == nil {
		return nil
	}
	return &answer.Image{Name: p.image.Name, Digest: p.image.Digest}
}

// systemPath is where a system's own programs are.
const systemPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// ofSystem returns the environment of programs in a root that is not the caller's: the PATH
// and the home of root are a system's own. The home of another user is for the box to find.
func ofSystem(user string) []string { return inherited(systemPath, "/root", user) }

// ofCaller returns the environment of programs of this machine's root: the caller's PATH,
// with the directories of system programs, and the caller's HOME.
func ofCaller(user string) []string {
	path := systemPath
	if own := os.Getenv("PATH"); own != "" {
		path = own + ":" + systemPath
	}
	home, err := os.UserHomeDir()
	if err != nil {
		home = "/"
	}
	return inherited(path, home, user)
}

func inherited(path, home, user string) []string {
	base := []string{"PATH=" + path, "LANG=C.UTF-8"}
	if user == "" || user == "root" {
		base = append(base, "HOME="+home)
	}
	return base
}

// equipment is what a guest is given, while it is put together.
type equipment struct {
	request Request
	plan    plan
	machine virtual.Machine
	files   *virtual.Files // of process 1
	roots   []*guest.Root
	size    int64 // of layers that are not among files, in bytes
}

// settle says how each place finds its programs. Where the machine reaches this one's files,
// that costs nothing; otherwise they are copied.
func (e *equipment) settle(ctx context.Context, places []*place) error {
	e.files = &virtual.Files{}
	var copied []*place
	for _, p := range places {
		switch {
		case p.image != nil:
			p.find, p.environment = p.findInImage, func(string) []string {
				return slices.Concat([]string{"PATH=" + systemPath}, p.image.Config.Environment)
			}
		case e.machine.ReachesMachine():
			p.find, p.environment = p.installed(&root.Installed{}), ofCaller
		default:
			copied = append(copied, p)
		}
	}
	switch len(copied) {
	case 0:
		return nil
	case 1:
		return e.copy(ctx, copied[0])
	}
	return errOneRoot
}

// installed returns how to find programs over this machine's root with the place's packages.
func (p *place) installed(packages *root.Installed) func(string) (root.Command, error) {
	if p.wanted == nil {
		return root.HostCommand
	}
	return packages.Command
}

// findInImage returns a command of an image, whose own arguments are as it has them, also
// those that are empty.
func (p *place) findInImage(text string) (root.Command, error) {
	own := p.image.Config.Arguments()
	words, err := root.SplitCommand(text)
	if text == root.JoinCommand(own) {
		words, err = own, nil
	}
	return root.Command{Arguments: words, Text: text, Directory: p.image.Config.Directory}, err
}

// copy copies what programs need into a guest that cannot reach this machine's files.
func (e *equipment) copy(ctx context.Context, p *place) error {
	copies, err := root.New(ctx)
	if err != nil {
		return err
	}
	for _, what := range p.Take {
		if err := copies.Take(what); err != nil {
			return err
		}
	}
	e.files, p.find, p.environment = copies.Files, copies.AddCommand, ofSystem
	return nil
}

// mount makes the roots of the places that are not process 1's own.
func (e *equipment) mount(ctx context.Context, r Request, places []*place) error {
	if err := debian.Tools(ctx, e.files); err != nil {
		return err
	}
	plain := e.files.Clone()
	for _, p := range places {
		if p.image == nil && !e.machine.ReachesMachine() {
			continue
		}
		number := len(e.roots)
		made, err := e.root(ctx, r, p, fmt.Sprintf("/layers/%d", number), plain)
		if err != nil {
			return err
		}
		p.at = guest.RootDirectory(number)
		e.roots = append(e.roots, made)
	}
	return nil
}

// root makes the root of a place; plain are the files of a guest that installs packages.
func (e *equipment) root(ctx context.Context, r Request, p *place, layers string, plain *virtual.Files) (*guest.Root, error) {
	if p.image != nil {
		archive, size, err := p.image.Root(ctx, r.log())
		if err != nil {
			return nil, err
		}
		e.size += size
		return root.OfArchive(e.files, layers, archive, !e.machine.ReachesMachine(), p.Take)
	}
	packages := &root.Installed{}
	if p.wanted != nil {
		init := plain.Clone()
		if err := root.AddSelf(init, self); err != nil {
			return nil, err
		}
		var err error
		if packages, err = root.Install(ctx, e.machine, init, p.wanted, r.log()); err != nil {
			return nil, err
		}
		p.find = p.installed(packages)
		e.size += packages.Size
	}
	if packages.Whole && len(p.Hide) > 0 {
		return nil, errors.New("packages have a root of their own here, with nothing of this machine that could be hidden: leave out --hide")
	}
	if packages.Whole {
		p.environment, p.directory = ofSystem, "/"
		return root.OfInstalled(e.files, layers, packages, p.Take)
	}
	return root.OfMachine(e.files, layers, root.Changes{Packages: packages, Take: p.Take, Hide: p.Hide})
}

// asImagesSay returns the request with what it leaves out as the images have it: programs,
// and the port.
func (r Request) asImagesSay(places []*place) (Request, error) {
	for _, side := range []answer.Side{answer.Server, answer.Client} {
		if p := r.program(side); p.Command == "" && p.given() {
			if err := placeOf(places, r.setup(side)).command(&p.Command); err != nil {
				return r, err
			}
		}
	}
	for i := range r.Beside {
		if b := &r.Beside[i]; b.Command == "" {
			if err := placeOf(places, r.besideSetup(*b)).command(&b.Command); err != nil {
				return r, err
			}
		}
	}
	if r.Port != 0 {
		return r, nil
	}
	i := placeOf(places, r.setup(answer.Server))
	if i == nil || i.image == nil {
		i = placeOf(places, r.setup(r.UnderTest))
	}
	port, ok := i.image.Config.TCPPort()
	if !ok {
		return r, fmt.Errorf("the port is missing: the image %s exposes %v, and not one TCP port: say where the server listens (--port)", i.image.Name, ports(i.image.Config.Ports))
	}
	r.Port = port
	return r, nil
}

// command sets a command to the one that the place's image names.
func (p *place) command(text *string) error {
	arguments := p.image.Config.Arguments()
	if len(arguments) == 0 {
		return fmt.Errorf("the image %s names no program, neither an entry point nor a command: name one (--server or --client)", p.image.Name)
	}
	*text = root.JoinCommand(arguments)
	return nil
}

// ports returns ports as an image lists them.
func ports(exposed []image.Port) string {
	if len(exposed) == 0 {
		return "none"
	}
	var all []string
	for _, p := range exposed {
		all = append(all, fmt.Sprintf("%d/%s", p.Number, p.Protocol))
	}
	return strings.Join(all, ", ")
}

// in returns a program as it is started in the place.
func (p *place) in(setup Setup, command string) (program, error) {
	found, err := p.find(command)
	if err != nil {
		return program{}, err
	}
	user := cmp.Or(setup.User, p.user())
	return program{
		Command: found, Root: p.at, User: user, Image: p.answers(),
		Environment: slices.Concat(p.environment(user), setup.Environment),
	}, nil
}
