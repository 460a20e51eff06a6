package audit

import (
	"errors"
	"fmt"
	"regexp"

	"go.yaml.in/yaml/v3"
)

// checkForm reports what YAML allows and a file with an audit has no use for: references to
// other parts of the file, tags, keys that are no texts, elements that are empty.
func checkForm(node *yaml.Node) error {
	switch {
	case node.Kind == yaml.AliasNode:
		return fmt.Errorf("line %d: *%s refers to another part of the file: write out what is there", node.Line, node.Value)
	case node.Style&yaml.TaggedStyle != 0:
		return fmt.Errorf("line %d: the tag %s has no meaning here: leave it out", node.Line, node.Tag)
	}
	for i, child := range node.Content {
		if node.Kind == yaml.MappingNode && i%2 == 0 && (child.Kind != yaml.ScalarNode || child.Tag == "!!null" || child.Value == "") {
			return fmt.Errorf("line %d: a name is missing before the colon: write NAME: VALUE", child.Line)
		}
		if node.Kind == yaml.SequenceNode && (child.Tag == "!!null" || child.Kind == yaml.ScalarNode && child.Value == "") {
			return fmt.Errorf("line %d: an element of the list is empty: leave it out", child.Line)
		}
		if err := checkForm(child); err != nil {
			return err
		}
	}
	return nil
}

var (
	// portNumber matches a port as people write one: YAML takes 010 for 8.
	portNumber = regexp.MustCompile(`^[1-9][0-9]{0,4}$`)
	// wholeNumber matches a number that fits in an int.
	wholeNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]{0,17})$`)
	// libraryError matches the errors of the YAML library.
	libraryError = regexp.MustCompile(`^yaml: (?:unmarshal errors:\n  )?(line [0-9]+)?`)
)

// inPlainWords returns an error of the YAML library in plain words, with its line; other errors
// are the file's own.
func inPlainWords(err error) error {
	if err == nil {
		return nil
	}
	match := libraryError.FindStringSubmatch(err.Error())
	if match == nil {
		return err
	}
	const remedy = "it is not YAML: indent with spaces, and quote a text that has a colon or a bracket"
	if match[1] == "" {
		return errors.New(remedy)
	}
	return fmt.Errorf("%s: %s", match[1], remedy)
}
