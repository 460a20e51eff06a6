package shard

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/halfopen-lab/halfopen/harness/environment"
)

// Order is what a test binary is to do, other than what its flags say. The zero value is
// to do just that.
type Order struct {
	List string   // the file to write the list of specs to; none then runs
	Only []string // the texts of the specs to run, instead of a focus; empty: all
	// Report is the file to write the report of those specs to. A Record follows each of
	// them on the standard output.
	Report string
}

// Encode returns the content of the file.
func (o Order) Encode() ([]byte, error) { return json.Marshal(o) }

// ReadOrder reads this process's order.
func ReadOrder() (Order, error) {
	var o Order
	name := environment.Read().Order
	if name == "" {
		return o, nil
	}
	content, err := os.ReadFile(name)
	if err == nil {
		err = json.Unmarshal(content, &o)
	}
	if err != nil {
		return o, fmt.Errorf("reading which specs to run (%s): %w", environment.Order, err)
	}
	return o, nil
}
