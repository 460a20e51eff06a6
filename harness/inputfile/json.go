package inputfile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// Decode reads JSON that has the field schema_version, such as {"schema_version": 1, …}, into a
// value. Content that has another version, or none, is an error, as is what is not JSON. The error
// is one line that begins with the file's name and says that it is not what it should be, such as
// "the answer of an audit".
func Decode(file string, content []byte, what string, schema int, into any) error {
	var versioned struct {
		Version *json.Number `json:"schema_version"`
	}
	if err := json.Unmarshal(content, &versioned); err != nil {
		return fmt.Errorf("%s is not %s: %w", file, what, reason(content, err))
	}
	switch {
	case versioned.Version == nil:
		return fmt.Errorf("%s is not %s, or an older halfopen has written it: it has no schema_version", file, what)
	case versioned.Version.String() != fmt.Sprint(schema):
		return fmt.Errorf("%s has schema version %s, and this halfopen reads %d: use the halfopen that has written it", file, versioned.Version, schema)
	}
	if err := json.Unmarshal(content, into); err != nil {
		return fmt.Errorf("%s is not %s: %w", file, what, reason(content, err))
	}
	return nil
}

// Unmarshal is json.Unmarshal with errors in plain words.
func Unmarshal(content []byte, into any) error {
	if err := json.Unmarshal(content, into); err != nil {
		return reason(content, err)
	}
	return nil
}

// reason returns an error of package json in plain words.
func reason(content []byte, err error) error {
	line := func(offset int64) int {
		return 1 + bytes.Count(content[:min(max(0, int(offset)), len(content))], []byte("\n"))
	}
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		if len(bytes.TrimSpace(content)) == 0 {
			return errors.New("it is empty")
		}
		if int(syntax.Offset) >= len(content) {
			return errors.New("it is cut short")
		}
		return fmt.Errorf("line %d is not JSON", line(syntax.Offset))
	}
	if kind, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		if kind.Field == "" {
			return fmt.Errorf("line %d has another value than is expected", line(kind.Offset))
		}
		return fmt.Errorf("line %d has another value than %s may have", line(kind.Offset), kind.Field)
	}
	return errors.New("a value in it is not what is expected")
}
