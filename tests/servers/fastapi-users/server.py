"""FastAPI-Users as its documentation sets it up: SQLAlchemy on SQLite, a bearer transport, JWTs."""

import asyncio
import contextlib
import sys
import uuid
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "shared"))

import serving
import uvicorn
from fastapi import Depends, FastAPI
from fastapi_users import BaseUserManager, FastAPIUsers, UUIDIDMixin, schemas
from fastapi_users.authentication import AuthenticationBackend, BearerTransport, JWTStrategy
from fastapi_users.db import SQLAlchemyBaseUserTableUUID, SQLAlchemyUserDatabase
from fastapi_users.exceptions import InvalidPasswordException, UserAlreadyExists
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase

engine = create_async_engine(f"sqlite+aiosqlite:///{serving.data_folder() / 'site.db'}")
sessions = async_sessionmaker(engine, expire_on_commit=False)


class Base(DeclarativeBase):
    pass


class User(SQLAlchemyBaseUserTableUUID, Base):
    pass


class UserRead(schemas.BaseUser[uuid.UUID]):
    pass


class UserCreate(schemas.BaseUserCreate):
    pass


class UserManager(UUIDIDMixin, BaseUserManager[User, uuid.UUID]):
    reset_password_token_secret = serving.SECRET
    verification_token_secret = serving.SECRET

    # The rule of the documentation's example.
    async def validate_password(self, password, user):
        if len(password) < 8:
            raise InvalidPasswordException(reason="Password should be at least 8 characters")


async def user_db():
    async with sessions() as session:
        yield SQLAlchemyUserDatabase(session, User)


async def user_manager(users=Depends(user_db)):
    yield UserManager(users)


backend = AuthenticationBackend(
    name="jwt",
    transport=BearerTransport(tokenUrl="auth/jwt/login"),
    get_strategy=lambda: JWTStrategy(serving.SECRET, serving.access_life(otherwise=86400)),
)
users = FastAPIUsers[User, uuid.UUID](user_manager, [backend])


async def seed():
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    async with contextlib.asynccontextmanager(user_db)() as db:
        with contextlib.suppress(UserAlreadyExists):
            new = UserCreate(email=serving.EMAIL, password=serving.PASSWORD)
            await UserManager(db).create(new)


app = FastAPI()
app.include_router(users.get_auth_router(backend), prefix="/auth/jwt")
app.include_router(users.get_register_router(UserRead, UserCreate), prefix="/auth")
app.include_router(users.get_users_router(UserRead, UserRead), prefix="/users")


class Server(uvicorn.Server):
    """Prints its address once it listens."""

    async def startup(self, sockets=None):
        await super().startup(sockets)
        serving.announce(self.servers[0].sockets[0].getsockname()[1])
        serving.until_input_ends(self.end)

    def end(self):
        self.should_exit = True


async def main():
    await seed()
    await Server(uvicorn.Config(app, "127.0.0.1", serving.PORT, log_level="warning")).serve()


if __name__ == "__main__":
    asyncio.run(main())
