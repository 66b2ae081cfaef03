-- A role and a database of its name, whatever of them is there already. The name and the password come by the environment,
-- the password as a verifier, since the server logs statements like these; nobody else may use the database.
\set ON_ERROR_STOP on
\getenv role ROLE
\getenv verifier ROLE_VERIFIER
select format('create role %I', :'role') where not exists (select from pg_roles where rolname = :'role') \gexec
select format('alter role %I login password %L', :'role', :'verifier') \gexec
-- RDS's master is no superuser: it may give a database to a role only as a member of it.
select format('grant %I to current_user', :'role') where not pg_has_role(current_user, :'role', 'usage') \gexec
select format('create database %I owner %I', :'role', :'role')
  where not exists (select from pg_database where datname = :'role') \gexec
select format('alter database %I owner to %I', :'role', :'role') \gexec
select format('revoke all on database %I from public', :'role') \gexec
