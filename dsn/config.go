package dsn

import "errors"

// parseConfig reads the $CFG->db* settings of a config.php.
func parseConfig(place string, opts Options) (DSN, error) {
	return DSN{}, errors.New("reading a config.php comes next")
}
