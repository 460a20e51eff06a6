package panics

import "testing"

func TestBefore(*testing.T) {}

func TestPanics(*testing.T) { panic("no more") }

func TestAfter(*testing.T) {}
