package audit

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/halfopen-lab/halfopen/harness/virtual"
	"github.com/halfopen-lab/halfopen/harness/virtual/debian"
	"github.com/halfopen-lab/halfopen/harness/virtual/guest"
	"github.com/halfopen-lab/halfopen/harness/virtual/image"
	"github.com/halfopen-lab/halfopen/harness/virtual/root"
	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
)

// asImageSays returns the request with what it leaves out as an image has it: the program
// under test, its user, and the port.
func (r Request) asImageSays(i *image.Image) (Request, error) {
	if r.Server == "" && r.Client == "" {
		arguments := i.Config.Arguments()
		if len(arguments) == 0 {
			return r, fmt.Errorf("the image %s names no program, neither an entry point nor a command: name one (--server or --client)", i.Name)
		}
		if r.UnderTest == answer.Client {
			r.Client = root.JoinCommand(arguments)
		} else {
			r.Server = root.JoinCommand(arguments)
		}
	}
	if r.Port == 0 {
		port, ok := i.Config.TCPPort()
		if !ok {
			return r, fmt.Errorf("the port is missing: the image %s exposes %v, and not one TCP port: say where the server listens (--port)", i.Name, ports(i.Config.Ports))
		}
		r.Port = port
	}
	r.User = cmp.Or(r.User, i.Config.User)
	return r, nil
}

// ports returns ports as an image lists them.
func ports(exposed []image.Port) string {
	if len(exposed) == 0 {
		return "none"
	}
	text := ""
	for n, p := range exposed {
		if n > 0 {
			text += ", "
		}
		text += fmt.Sprintf("%d/%s", p.Number, p.Protocol)
	}
	return text
}

// withImage gives the programs the root of a container image.
func withImage(ctx context.Context, r Request, m virtual.Machine, i *image.Image) (*virtual.Files, system, plan, error) {
	failed := func(err error) (*virtual.Files, system, plan, error) { return nil, system{}, plan{}, err }
	own := i.Config.Arguments()
	p, err := newPlan(r, func(text string) (root.Command, error) {
		words, err := root.SplitCommand(text)
		if text == root.JoinCommand(own) {
			words, err = own, nil // as the image has them, also those that are empty
		}
		return root.Command{Arguments: words, Text: text, Directory: i.Config.Directory}, err
	})
	if err != nil {
		return failed(err)
	}
	archive, size, err := i.Root(ctx, r.log())
	if err != nil {
		return failed(err)
	}
	files := &virtual.Files{}
	if err := debian.Tools(ctx, files); err != nil {
		return failed(err)
	}
	s := system{size: size}
	if s.root, err = root.OfArchive(files, archive, !m.ReachesMachine(), r.Take); err != nil {
		return failed(err)
	}
	p.Root, p.Base = guest.RootDirectory, slices.Concat([]string{"PATH=" + systemPath}, i.Config.Environment)
	p.Image = &answer.Image{Name: i.Name, Digest: i.Digest}
	return files, s, p, nil
}
