package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/onsi/ginkgo/v2/types"
)

func TestRowsAreToldFromOtherLabelsAndSortedByNumber(t *testing.T) {
	f := &family{}
	f.add(types.SpecReport{State: types.SpecStatePassed, LeafNodeLabels: []string{"K10", "IPv4", "K2", "waits 3s", "E"}})
	slices.SortFunc(f.rows, byNumber)
	if got := strings.Join(f.rows, " "); got != "E K2 K10" {
		t.Errorf("the rows are %q, expected E K2 K10", got)
	}
}
