package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/halfopen-lab/halfopen/harness/atomicfile"
	"github.com/halfopen-lab/halfopen/harness/commandline"
	"github.com/halfopen-lab/halfopen/harness/virtual"
	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
	"github.com/halfopen-lab/halfopen/scenarios/explore/settings"
)

// settingsReport is the report directory of a map of a program's settings.
const settingsReport = "halfopen-settings"

// mapping is the flags of halfopen explore settings.
type mapping struct {
	subject
	rows, columns string
	set           []string
	svg           string
}

func exploreSettingsCommand() *cobra.Command {
	m := &mapping{}
	c := &cobra.Command{
		Use:   "settings",
		Short: "Which settings survive which firewall, and when is a dead peer noticed?",
		Long: `Sweeps two settings, and measures of each combination whether an idle connection lives on,
and after how long a host that loses its power is noticed: a map, beside what the oracle says.
All cells wait at the same time, in virtual time. These are the settings, and their values where
they are neither swept nor set:

` + settings.Describe() + `

Without a program the connections are the harness's own. Those of a program (--server, --client,
-f) get the settings from outside, as setsockopt would set them. A line ends with the largest
keepalive idle that lived with all smaller ones, and in brackets with that of which the oracle is
sure. Exit status 0: as the oracle says; 1: it differs; 2: it could not be measured.`,
		Example: `  halfopen explore settings
  halfopen explore settings --columns interval=15s,30s,75s,120s --set idle=60s --svg map.svg
  halfopen explore settings --rows user-timeout=off,10s,60s,300s --columns idle=15s,60s,600s --set firewall=aws-nat-gw
  halfopen explore settings --server "python3 echo.py" --port 5000 --rows firewall=350s,azure-lb --columns idle=off,60s,600s`,
		Args: commandline.NoArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := m.exclusive(c); err != nil {
				return err
			}
			return m.run(c.Context())
		},
	}
	m.flags(c, settingsReport)
	f := c.Flags()
	f.StringVar(&m.rows, "rows", "", "the setting of the rows and its values: NAME=VALUE,VALUE (default "+settings.DefaultRows+")")
	f.StringVar(&m.columns, "columns", "", "the setting of the columns and its values (default "+settings.DefaultColumns+")")
	f.StringArrayVar(&m.set, "set", nil, "another setting: NAME=VALUE")
	f.StringVar(&m.svg, "svg", "", "a file to write the map to, as a picture")
	return c
}

func (m *mapping) run(ctx context.Context) error {
	svg, err := filepath.Abs(m.svg) // seen from here, and not from the file's directory
	if err != nil {
		return err
	}
	if m.svg != "" {
		if info, err := os.Stat(filepath.Dir(svg)); err != nil || !info.IsDir() {
			return fmt.Errorf("writing the picture %s: there is no directory %s: make it first", m.svg, filepath.Dir(svg))
		}
	}
	if err := m.read(ctx); err != nil {
		return err
	}
	if m.withProgram() {
		if err := m.request.Check(); err != nil {
			return err
		}
	}
	grid, err := m.grid()
	if err != nil {
		return err
	}
	found, err := m.measureMap(ctx, grid)
	if err != nil {
		return err
	}
	if m.svg != "" {
		if err := atomicfile.WriteFile(svg, []byte(found.SVG()), 0o644); err != nil {
			return err
		}
	}
	if err := printFound(os.Stdout, found, m.asJSON); err != nil {
		return err
	}
	if len(found.Differences()) > 0 {
		return errBroken
	}
	return nil
}

// withProgram reports whether the connections are a program's.
func (m *mapping) withProgram() bool {
	return m.file != "" || m.request.HasProgram() || m.request.Port != 0
}

// grid returns what the flags say is swept.
func (m *mapping) grid() (g settings.Grid, err error) {
	rows := settings.DefaultRows
	if m.withProgram() {
		rows = settings.DefaultProgramRows
	}
	if m.rows != "" {
		rows = m.rows
	}
	columns := settings.DefaultColumns
	if m.columns != "" {
		columns = m.columns
	}
	var axes [2]settings.Axis
	for i, text := range []string{rows, columns} {
		if axes[i], err = settings.ParseAxis(text); err != nil {
			return g, fmt.Errorf("%w (--%s)", err, []string{"rows", "columns"}[i])
		}
	}
	var fixed []settings.Setting
	for _, text := range m.set {
		a, err := settings.ParseAxis(text)
		if err == nil && len(a.Values) != 1 {
			err = fmt.Errorf("%q has %d values: put it on an axis, or give it one", text, len(a.Values))
		}
		if err != nil {
			return g, fmt.Errorf("%w (--set)", err)
		}
		fixed = append(fixed, settings.Setting{Name: a.Name, Value: a.Values[0]})
	}
	outside := m.withProgram() && m.request.Tests() == answer.Server
	return settings.NewGrid(axes[0], axes[1], fixed, outside, m.withProgram())
}

// measureMap measures the cells of a grid.
func (m *mapping) measureMap(ctx context.Context, grid settings.Grid) (*settings.Map, error) {
	if m.request.RealTime {
		return nil, errors.New("the map is measured in virtual time: its waits are hours: leave out --host")
	}
	if m.withProgram() {
		return m.measureMapOfProgram(ctx, grid)
	}
	if m.request.Memory != 0 {
		if err := virtual.CheckMemory(m.request.Memory); err != nil {
			return nil, fmt.Errorf("%w (--memory)", err)
		}
	}
	if err := m.request.Machine.Check(); err != nil {
		return nil, fmt.Errorf("%w (--machine, --kernel)", err)
	}
	cells := grid.Cells()
	fmt.Fprintf(os.Stderr, "halfopen: measuring %d cells in virtual time\n", len(cells))
	pairs, took, err := settings.Measure(ctx, cells, settings.Measurement{Machine: m.request.Machine, Seed: m.request.Seed, Memory: m.request.Memory, Log: os.Stderr})
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(os.Stderr, "halfopen: %d cells, twice each, in %d guests: %.0f h of virtual time in %v\n", len(cells), took.Guests, took.Virtual.Hours(), took.Wall.Round(100*time.Millisecond))
	return settings.Join(grid, pairs, took.Kernel), nil
}
