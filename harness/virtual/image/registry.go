package image

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/inputfile"
)

// patience is how long a registry may send nothing.
const patience = 30 * time.Second

// again is when a registry that has answered with an error of its own is asked again: after
// 250 ms, and after another second.
var again = remote.Backoff{Duration: 250 * time.Millisecond, Factor: 4, Steps: 3}

// pull opens an image in a registry.
func pull(ctx context.Context, reference name.Reference) (v1.Image, error) {
	return pullOver(ctx, reference, &bounded{next: remote.DefaultTransport, patience: patience})
}

func pullOver(ctx context.Context, reference name.Reference, over http.RoundTripper) (v1.Image, error) {
	found, err := ask(ctx, reference, over)
	if err != nil && ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return found, err
}

// maxLogins bounds the size of Docker's configuration.
const maxLogins = 1 << 20

// checkLogins reports what is wrong with Docker's configuration, which has the logins for
// registries: the library would read it whatever it is, and for ever.
func checkLogins(ctx context.Context) error {
	directory := os.Getenv("DOCKER_CONFIG")
	if directory == "" {
		directory = filepath.Join(os.Getenv("HOME"), ".docker")
	}
	file := filepath.Join(directory, "config.json")
	content, err := inputfile.Read(ctx, file, maxLogins)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR) {
		return nil
	}
	if err == nil && len(content) > 0 {
		if wrong := inputfile.Unmarshal(content, &struct{}{}); wrong != nil {
			err = fmt.Errorf("%s is not Docker's configuration: %w: correct it, or name another directory by DOCKER_CONFIG", file, wrong)
		}
	}
	if err != nil {
		return fmt.Errorf("reading the logins for registries: %w", err)
	}
	return nil
}

func ask(ctx context.Context, reference name.Reference, over http.RoundTripper) (v1.Image, error) {
	if err := checkLogins(ctx); err != nil {
		return nil, err
	}
	descriptor, err := remote.Get(reference, remote.WithContext(ctx), remote.WithTransport(over),
		remote.WithAuthFromKeychain(authn.DefaultKeychain), remote.WithRetryBackoff(again))
	if err != nil {
		return nil, explain(err, reference)
	}
	switch {
	case descriptor.MediaType.IsImage():
		found, err := descriptor.Image()
		if err != nil {
			return nil, explain(err, reference)
		}
		return found, nil
	case descriptor.MediaType.IsIndex():
		index, err := descriptor.ImageIndex()
		if err != nil {
			return nil, explain(err, reference)
		}
		images, _, err := choose(index, 0)
		if err != nil {
			return nil, explain(err, reference)
		}
		return images[0], nil // several are for versions of amd64: the first runs everywhere
	}
	return nil, otherKind(descriptor.MediaType)
}

// explain says in one line what a registry has answered.
func explain(err error, reference name.Reference) error {
	registry := reference.Context().RegistryStr()
	if answer, ok := errors.AsType[*transport.Error](err); ok {
		switch answer.StatusCode {
		case http.StatusNotFound:
			return fmt.Errorf("the registry %s has no %s %s: look for the name and the tag", registry, reference.Context().RepositoryStr(), reference.Identifier())
		case http.StatusUnauthorized, http.StatusForbidden:
			return fmt.Errorf("the registry %s refuses it (%d): there is no such image, or it needs a login: docker login %s", registry, answer.StatusCode, registry)
		}
		return fmt.Errorf("the registry %s answered %d %s: try again later", registry, answer.StatusCode, http.StatusText(answer.StatusCode))
	}
	if errors.Is(err, errSilent) {
		return fmt.Errorf("the registry %s %w", registry, errSilent)
	}
	if network, ok := errors.AsType[*net.OpError](err); ok {
		return fmt.Errorf("the registry %s cannot be reached: %w", registry, network)
	}
	return err
}
