//go:build special

package tagged

import "testing"

func TestTagged(*testing.T) {}
