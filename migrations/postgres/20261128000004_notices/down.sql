DROP TABLE expiry_looks;
DROP TABLE expiry_notices;
