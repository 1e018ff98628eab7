//! YAML to rules: document, resolved settings, compiled rules.
