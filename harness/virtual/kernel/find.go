package kernel

// Find returns the newest kernel in the cache with this program's configuration and
// patches. It uses neither apt nor the network. The error is ErrNotBuilt when there is
// none, and a *Damaged when the kernel is damaged.
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

// List returns all kernels in the cache, the newest first, including those with other
// configurations. It does not check their bytes.
func List() ([]Kernel, error) {
	c, err := userCache()
	if err != nil {
		return nil, err
	}
	return c.list()
}

// RecipeKey returns the key of the recipe by which this program builds a kernel: its
// configuration and patches. Kernels of the same key, Debian package and compiler have the same
// bytes.
func RecipeKey(s Source) (string, error) {
	r, err := recipeFor(embedded, s)
	if err != nil {
		return "", err
	}
	return r.hash(), nil
}
