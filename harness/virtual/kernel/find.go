package kernel

// Find returns the kernel that this program uses for a source: the newest one in the
// cache with this program's configuration and patches. It asks neither apt nor the
// network. The error is ErrNotBuilt when there is none, and a *Damaged when its bytes
// are not those that were built.
func Find(s Source) (Kernel, error) {
	c, err := userCache()
	if err != nil {
		return Kernel{}, err
	}
	r, err := recipeFor(embedded, s)
	if err != nil {
		return Kernel{}, err
	}
	return c.find(s, r.hash())
}

// List returns every kernel in the cache, the newest first: also those of other
// configurations. It does not check them.
func List() ([]Kernel, error) {
	c, err := userCache()
	if err != nil {
		return nil, err
	}
	return c.list()
}
