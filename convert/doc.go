// Package convert turns one description of a schema into another, and says how
// values travel between them:
//
//   - [Declared] computes the schema that Moodle's own installer makes of the
//     install.xml files, on MySQL, MariaDB or PostgreSQL;
//   - [Live] converts what a live MySQL or MariaDB database has beyond that, by
//     one table of rules, [Rules];
//   - [Target] joins both into the schema that a migration makes, and pairs its
//     columns with those of the source;
//   - [Fit] pairs the columns of a source with those of tables that exist;
//   - [Value] is the rule by which the values of one column become those of another.
//
// Everything here is pure: no server, no file, no clock. What a person should
// know about a conversion is a [Finding]; a conversion that cannot be right is a
// Finding of severity [Error], never a guess.
package convert
