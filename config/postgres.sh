# What the image of PostgreSQL runs once, when it makes the database: an account for Snapbus that owns
# it and is no superuser. The superuser is left without a password: it can't log in over the network.
password=$POSTGRES_PASSWORD psql --quiet --no-psqlrc --set ON_ERROR_STOP=1 \
    --username "$POSTGRES_USER" --dbname postgres <<'SQL'
\getenv password password
CREATE ROLE snapbus LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'password';
CREATE DATABASE snapbus OWNER snapbus;
ALTER ROLE CURRENT_USER PASSWORD NULL;
SQL
