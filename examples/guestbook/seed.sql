\i schema.sql
INSERT INTO entries (name, text) VALUES ('Windlass', 'Welcome!');
