package convert

import (
	"fmt"

	"github.com/moodledb/moodledb/schema"
)

// narrower says which values of the source the target cannot hold, although
// their types fit; empty when it holds all. Zero dates are not its business.
func narrower(source, target schema.Type) string {
	if bits := intBits(target.Name); bits > 0 {
		return narrowerInt(source, bits)
	}
	switch target.Name {
	case "character varying", "character":
		return narrowerText(source, target)
	case "numeric":
		return narrowerNumeric(source, target)
	case "real":
		if source.Name == "double" || source.Name == "decimal" {
			return "a number that single precision would round"
		}
	case "bit varying":
		return ""
	}
	return ""
}

// sourceBits is how many bits a signed integer needs for all values of a type; 0 when the type is no integer.
func sourceBits(t schema.Type) int {
	var bits int
	switch t.Name {
	case "tinyint":
		bits = 8
	case "smallint", "year":
		bits = 16
	case "mediumint":
		bits = 24
	case "int", "integer":
		bits = 32
	case "bigint":
		bits = 64
	case "bit":
		return int(bitLength(t, 1)) + 1
	default:
		return 0
	}
	if t.Unsigned || t.Zerofill {
		bits++
	}
	return bits
}

func narrowerInt(source schema.Type, bits int) string {
	switch need := sourceBits(source); {
	case need == 0:
		return "a value that is no whole number of its range"
	case need > bits:
		return fmt.Sprintf("a number of more than %d bits", bits)
	}
	return ""
}

// narrowerText compares lengths in characters, which the source has for some types only.
func narrowerText(source, target schema.Type) string {
	if target.Length == 0 {
		return ""
	}
	limit := fmt.Sprintf("a text of more than %d characters", target.Length)
	var need int64
	switch source.Name {
	case "char", "varchar", "binary", "varbinary":
		need = source.Length
	case "enum":
		need = longest(source.Values)
	case "tinytext":
		need = 255
	case "date":
		need = int64(len("2000-01-01"))
	case "tinyint", "smallint", "mediumint", "int", "integer", "bigint", "year":
		// A number of n bits has at most n*0.302 digits, and a sign.
		need = int64(sourceBits(source))*302/1000 + 2
	default:
		return limit
	}
	if need > target.Length {
		return limit
	}
	return ""
}

func narrowerNumeric(source, target schema.Type) string {
	if target.Precision == 0 {
		return ""
	}
	whole := target.Precision - target.Scale
	switch bits := sourceBits(source); {
	case source.Name == "decimal" || source.Name == "numeric":
		switch {
		case source.Precision-source.Scale > whole:
			return fmt.Sprintf("a number of more than %d digits before the point", whole)
		case source.Scale > target.Scale:
			return fmt.Sprintf("a number of more than %d digits behind the point", target.Scale)
		}
		return ""
	case bits > 0:
		// Signed numbers of 64 bits have 19 digits, unsigned ones 20.
		if (bits-1)*30103/100000+1 > whole {
			return fmt.Sprintf("a number of more than %d digits", whole)
		}
		return ""
	}
	return fmt.Sprintf("a number that does not fit %d digits before the point and %d behind it", whole, target.Scale)
}
