package commandline_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/halfopen-lab/halfopen/harness/commandline"
)

func tree() *cobra.Command {
	root := &cobra.Command{Use: "tool"}
	leaf := &cobra.Command{Use: "leaf", Short: "A leaf", Args: commandline.NoArguments, RunE: func(*cobra.Command, []string) error { return nil }}
	leaf.Flags().Int("number", 0, "a number")
	leaf.Flags().StringArray("list", nil, "a list")
	root.AddCommand(leaf)
	return root
}

func TestGoodArgumentsRunTheCommand(t *testing.T) {
	for _, arguments := range [][]string{{"leaf"}, {"leaf", "--number", "7"}, {"leaf", "--list", "a", "--list=b"}, {"leaf", "--list", "--number"}} {
		if err := commandline.Execute(t.Context(), tree(), arguments, nil); err != nil {
			t.Errorf("%q: %v", arguments, err)
		}
	}
}

func TestWhatComesBeforeMayRefuse(t *testing.T) {
	no := errors.New("no")
	err := commandline.Execute(context.Background(), tree(), []string{"leaf"}, func(c *cobra.Command) error {
		if c.Name() != "leaf" {
			t.Errorf("it is asked about %s", c.Name())
		}
		return no
	})
	if !errors.Is(err, no) {
		t.Errorf("the command: %v", err)
	}
}

func TestParseTakesOneDashOrTwo(t *testing.T) {
	for _, arguments := range [][]string{{"-number=7", "x"}, {"--number=7", "x"}, {"-number", "7", "x"}} {
		flags := pflag.NewFlagSet("tool", pflag.ContinueOnError)
		number := flags.Int("number", 0, "a number")
		if err := commandline.Parse(flags, arguments); err != nil || *number != 7 || !slices.Equal(flags.Args(), []string{"x"}) {
			t.Errorf("%q: %d, %q, %v", arguments, *number, flags.Args(), err)
		}
	}
}

func TestAPatternSaysWhatIsWrong(t *testing.T) {
	if err := commandline.CheckPattern("a.*b"); err != nil {
		t.Error(err)
	}
	if err := commandline.CheckPattern("a["); err == nil || !strings.HasPrefix(err.Error(), `"a[" is not a regular expression: missing closing ] at "["`) {
		t.Errorf("a bracket that is not closed: %v", err)
	}
}
