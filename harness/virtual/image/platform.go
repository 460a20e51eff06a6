package image

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// wanted is the platform of guests.
var wanted = v1.Platform{OS: "linux", Architecture: "amd64"}

func isWanted(p *v1.Platform) bool {
	return p != nil && p.OS == wanted.OS && p.Architecture == wanted.Architecture
}

// otherPlatform returns the error of an image for other platforms.
func otherPlatform(has ...*v1.Platform) error {
	var names []string
	for _, p := range has {
		// Attestations have the platform unknown/unknown
		// (https://docs.docker.com/build/metadata/attestations/attestation-storage/).
		if p != nil && p.OS != "" && p.OS != "unknown" {
			names = append(names, strings.TrimSuffix(p.OS+"/"+p.Architecture+"/"+p.Variant, "/"))
		}
	}
	if len(names) == 0 {
		return errors.New("it is not an image that can be run: it names no operating system")
	}
	slices.Sort(names)
	return fmt.Errorf("it is for %s, and halfopen runs %s only", strings.Join(slices.Compact(names), ", "), wanted)
}

// maxDepth is how deep indexes may stand in indexes: a layout has one that leads to that of
// an image for several platforms.
const maxDepth = 4

// choose returns the images of an index that are for the wanted platform: of each of its
// entries at most one. It is an error if there is none.
func choose(index v1.ImageIndex, depth int) (images []v1.Image, entries []v1.Descriptor, err error) {
	if depth > maxDepth {
		return nil, nil, fmt.Errorf("its indexes stand in one another more than %d deep", maxDepth)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		return nil, nil, fmt.Errorf("reading its index: %w", err)
	}
	var others []*v1.Platform
	for _, entry := range manifest.Manifests {
		if entry.Platform != nil && !isWanted(entry.Platform) {
			others = append(others, entry.Platform)
			continue
		}
		switch {
		case entry.MediaType.IsIndex():
			inner, err := index.ImageIndex(entry.Digest)
			if err != nil {
				return nil, nil, fmt.Errorf("reading its index: %w", err)
			}
			found, _, err := choose(inner, depth+1)
			if err != nil {
				return nil, nil, err
			}
			images, entries = append(images, found[0]), append(entries, entry)
		case entry.MediaType.IsImage():
			found, err := index.Image(entry.Digest)
			if err != nil {
				return nil, nil, fmt.Errorf("reading its manifest: %w", err)
			}
			config, err := found.ConfigFile()
			if err != nil {
				return nil, nil, fmt.Errorf("reading its configuration: %w", err)
			}
			if !isWanted(config.Platform()) {
				others = append(others, config.Platform())
				continue
			}
			images, entries = append(images, found), append(entries, entry)
		}
	}
	if len(images) == 0 {
		return nil, nil, otherPlatform(others...)
	}
	return images, entries, nil
}
