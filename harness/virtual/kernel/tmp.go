package kernel

func Known(name string) bool { return name == "6.12" || name == "6.1" }
